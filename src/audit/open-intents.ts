/**
 * Upstream calls of which the trail does not know what became: those are the ones to look up at the tenant. An intent
 * stays in memory only until its outcome is read.
 */
import type { Entry } from './entry.ts';
import { intentEvent, unknownEvent } from './recover.ts';

/**
 * open: without an outcome, as a call under way or of a process that was not started again · lost: its process ended
 * first · unknown: the tenant did not answer.
 */
export type OpenState = 'open' | 'lost' | 'unknown';

export interface OpenUpstreamCall {
  readonly state: OpenState;
  /** The intent; where it lies before what was read, the record that tells of it. */
  readonly entry: Entry;
}

/** Those without an outcome come last, because only the end shows that they have none. */
export async function* openIntents(entries: AsyncIterable<Entry>): AsyncGenerator<OpenUpstreamCall> {
  const open = new Map<string, Entry>();
  for await (const entry of entries) {
    if (entry.event === intentEvent) {
      open.set(`${entry.instance} ${entry.seq}`, entry.kept());
      continue;
    }
    const intent = entry.number('intent');
    if (intent === undefined) continue;
    const key = `${entry.instance} ${intent}`;
    const state = stateAfter(entry);
    if (state) yield { state, entry: open.get(key) ?? entry.kept() };
    open.delete(key);
  }
  for (const entry of open.values()) yield { state: 'open', entry };
}

function stateAfter(entry: Entry): OpenState | undefined {
  if (entry.event === unknownEvent) return 'lost';
  return entry.text('outcome', 'result') === 'unknown' ? 'unknown' : undefined;
}

/** Whether it may have changed something at the tenant; what is not known may have. */
export function mayHaveWritten(entry: Entry): boolean {
  const effect = entry.text('op', 'effect');
  if (effect !== undefined) return effect === 'write';
  return !['GET', 'HEAD'].includes(entry.text('upstream', 'method') ?? '');
}
