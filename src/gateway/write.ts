/**
 * The line's end for a write: it goes up once, and when its caller is answered nothing older is served to anybody.
 */
import { withoutDenied } from '../auth/attributes.ts';
import type { Caller } from '../auth/caller.ts';
import type { Call, Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import { checkPatch } from '../writes/patch-method.ts';
import type { GroupUpdates, Suspicion } from '../writes/updates.ts';
import { ask, type Patience } from './ask.ts';
import type { Doubts } from './doubts.ts';
import { deliver, type Asked, type System } from './place.ts';
import { beginWrite, type WrittenParts } from './written.ts';

export interface WriteParts extends WrittenParts {
  readonly doubts: Doubts;
  readonly updates: GroupUpdates;
  readonly patienceMs: number;
}

export async function write(parts: WriteParts, system: System, caller: Caller, asked: Asked): Promise<Reply> {
  const { operation } = asked;
  checkPatch(system.patch, operation, asked.body);
  const written = await beginWrite(parts, system, asked);
  let reply: Reply | undefined;
  let sent = false;
  const onSent = (): void => {
    sent = true;
  };
  try {
    reply = await updating(parts, system, asked, (patience) =>
      ask(system.route, { ...asked, patience, onSent }),
    );
    return withoutDenied(caller, operation, deliver(system, reply));
  } catch (thrown) {
    if (thrown instanceof ScimError && thrown.kind === 'outcome-unknown')
      parts.doubts.raise(operation, system.route.deadlines.writeMs);
    throw thrown;
  } finally {
    // Whatever came back, the tenant may have changed: nothing older is served once this call is answered.
    if (sent) await written.settle(reply);
  }
}

/** A write that may undo what others have added to a group is told of, or refused before it goes up. */
function updating(
  { updates, patienceMs }: WriteParts,
  { lostUpdates: mode, route }: System,
  { call, caller, operation, body, entry }: Asked,
  send: (patience: Patience) => Promise<Reply>,
): Promise<Reply> {
  const patience = patienceOf(call, patienceMs);
  const tell = (suspicion: Suspicion): Promise<void> =>
    entry.remark('request.lost_update_suspected', { ...suspicion });
  const longestMs = patienceMs + route.deadlines.writeMs;
  return updates.write({ mode, operation, caller, body, patience, longestMs, tell }, () => send(patience));
}

/** As long as the caller stays and its patience lasts; a call that has gone up does not end with it. */
export function patienceOf({ left }: Call, ms: number): Patience {
  return { until: performance.now() + ms, signal: AbortSignal.any([left, AbortSignal.timeout(ms)]) };
}
