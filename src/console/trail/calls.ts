/** One record by its id, and all records of the call that it belongs to. */
import type { Entry } from '../../audit/entry.ts';
import type { Chain } from '../../audit/read.ts';
import type { IndexStore } from './index-store.ts';
import { matchesIn, readRecords, type Place, type Range } from './matches.ts';
import { askedOf, type ConsoleQuery } from './shape.ts';

/** How far from each other the records of one call can be. */
const callSpanMs = 2 * 60 * 60_000;
const mostRecordsOfCall = 1000;

export class NoSuchRecord extends Error {
  constructor() {
    super('There is no such record.');
    this.name = 'NoSuchRecord';
  }
}

export async function findRecord(
  chains: readonly Chain[],
  store: IndexStore,
  id: string,
): Promise<{ readonly chain: Chain; readonly place: Place; readonly ordinal: number }> {
  const wanted = id.slice(0, id.indexOf(':'));
  const seq = seqOf(id);
  const chain = chains.find((each) => each.chain === wanted);
  const at = chain?.segments.findLastIndex(({ name }) => name.firstSeq <= seq) ?? -1;
  const segment = chain?.segments[at];
  if (!chain || !segment) throw new NoSuchRecord();
  const place = { instance: chain.instance, path: segment.path, index: await store.of(chain, at) };
  const ordinal = await ordinalOf(place, seq);
  if (ordinal === undefined) throw new NoSuchRecord();
  return { chain, place, ordinal };
}

/** By the request that all of them name; the gateway's own calls have none, and are joined by their intent. */
export async function callOf(
  chain: Chain,
  store: IndexStore,
  entry: Entry,
  signal: AbortSignal,
): Promise<readonly Entry[]> {
  const at = Date.parse(entry.ts);
  const range = { from: at - callSpanMs, to: at + callSpanMs };
  const request = entry.text('req');
  if (request !== undefined)
    return gather(chain, store, { request }, range, signal, (each) => each.text('req') === request);
  const intent = entry.event === 'upstream.intent' ? entry.seq : entry.number('intent');
  if (intent === undefined) return [entry];
  const isPart = (each: Entry): boolean => each.seq === intent || each.number('intent') === intent;
  return gather(
    chain,
    store,
    { event: 'upstream.*' },
    { from: at - callSpanMs / 24, to: at + callSpanMs / 24 },
    signal,
    isPart,
  );
}

async function gather(
  chain: Chain,
  store: IndexStore,
  query: ConsoleQuery,
  range: Range,
  signal: AbortSignal,
  isPart: (entry: Entry) => boolean,
): Promise<Entry[]> {
  const asked = askedOf(query);
  const found: Entry[] = [];
  for (const [at, segment] of chain.segments.entries()) {
    signal.throwIfAborted();
    const place = { instance: chain.instance, path: segment.path, index: await store.of(chain, at) };
    const ordinals = await matchesIn(place, asked, range);
    const entries = await readRecords(place, ordinals);
    found.push(...[...entries.values()].filter(isPart));
    if (found.length > mostRecordsOfCall) break;
  }
  return found.slice(0, mostRecordsOfCall);
}

export function seqOf(id: string): number {
  return Number(id.slice(id.indexOf(':') + 1));
}

/** Where no line is damaged, it is where its number says. */
async function ordinalOf(place: Place, seq: number): Promise<number | undefined> {
  const { count, name } = place.index;
  const guess = Math.min(seq - name.firstSeq, count - 1);
  for (let at = guess; at >= 0; at -= 1) {
    const entry = (await readRecords(place, [at])).get(at);
    if (entry?.seq === seq) return at;
    if (entry && entry.seq < seq) return undefined;
  }
  return undefined;
}
