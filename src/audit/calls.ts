/**
 * Joins the records of one call: what the caller asked and got, and every upstream call that was made for it. In
 * bounded memory: a call is given away when it has ended, the longest open one when too many are.
 */
import type { Entry } from './entry.ts';
import { intentEvent, unknownEvent } from './recover.ts';

/** In the order of the trail. */
export type CallRecords = readonly Entry[];

const mostOpen = 20_000;
const closing =
  /^(?:request\.(?:outcome|cache_hit|rejected|aborted_by_client)|authn\.(?:failure|throttled)|authz\.denied|token\.(?:issued|rejected))$/;

interface OpenCall {
  readonly entries: Entry[];
  /** Upstream calls without an outcome yet. */
  readonly intents: Set<number>;
  ended: boolean;
}

export async function* joinCalls(entries: AsyncIterable<Entry>): AsyncGenerator<CallRecords> {
  const open = new Map<string, OpenCall>();
  for await (const entry of entries) {
    const key = keyOf(entry);
    if (key === undefined) {
      yield [entry];
      continue;
    }
    const call = open.getOrInsertComputed(key, () => ({
      entries: [],
      intents: new Set<number>(),
      ended: false,
    }));
    take(call, entry.kept());
    if (isOver(call)) {
      open.delete(key);
      yield call.entries;
    } else if (open.size > mostOpen) yield takeOldest(open);
  }
  for (const { entries: records } of open.values()) yield records;
}

/** The gateway's own calls have no request, so their intent's number joins them. */
function keyOf(entry: Entry): string | undefined {
  const request = entry.text('req');
  if (request !== undefined) return `${entry.instance} ${request}`;
  const intent = entry.event === intentEvent ? entry.seq : entry.number('intent');
  return intent === undefined ? undefined : `${entry.instance} #${intent}`;
}

function take(call: OpenCall, entry: Entry): void {
  call.entries.push(entry);
  if (entry.event === intentEvent) call.intents.add(entry.seq);
  const intent = entry.number('intent');
  if (intent !== undefined) call.intents.delete(intent);
  // At a restart nobody is left who could say more; and without a request nobody asked for more.
  call.ended ||= closing.test(entry.event) || entry.event === unknownEvent || entry.text('req') === undefined;
}

function isOver({ ended, intents }: OpenCall): boolean {
  return ended && intents.size === 0;
}

function takeOldest(open: Map<string, OpenCall>): CallRecords {
  const [oldest] = open;
  if (!oldest) return [];
  open.delete(oldest[0]);
  return oldest[1].entries;
}
