/**
 * The line's end for a write: it goes up once, what became of it is looked for where nobody says, and when its caller is
 * answered nothing older is served to anybody.
 */
import { withoutDenied } from '../auth/attributes.ts';
import type { Caller } from '../auth/caller.ts';
import type { Call, Reply } from '../scim/call.ts';
import type { Rivals } from '../writes/attempt.ts';
import { createdBy } from '../writes/created.ts';
import { checkPatch } from '../writes/patch-method.ts';
import type { GroupUpdates, Suspicion } from '../writes/updates.ts';
import type { Patience } from './ask.ts';
import type { Doubts } from './doubts.ts';
import { guarded, type GuardParts } from './guarded.ts';
import { deliver, type Asked, type System } from './place.ts';
import { once, type RepeatParts } from './repeated.ts';
import type { SnapshotParts } from './snapshot-reads.ts';
import { answerTo, isUnknown } from './write-answer.ts';
import { beginWrite, type WrittenParts } from './written.ts';

export interface WriteParts extends WrittenParts, RepeatParts, GuardParts, SnapshotParts {
  readonly doubts: Doubts;
  readonly updates: GroupUpdates;
}

export async function write(parts: WriteParts, system: System, caller: Caller, asked: Asked): Promise<Reply> {
  const { operation } = asked;
  checkPatch(system.patch, operation, asked.body);
  const reply = await once(parts, system, asked, {
    send: (onSent, rivals) => carryOut(parts, system, asked, { onUp: onSent, rivals }),
    forget: () => parts.cache.forget(operation),
  });
  const created = createdBy(operation, reply);
  if (created.length > 0) asked.entry.add({ created });
  return withoutDenied(caller, operation, deliver(system, reply));
}

async function carryOut(
  parts: WriteParts,
  system: System,
  asked: Asked,
  { onUp, rivals }: { readonly onUp: () => void; readonly rivals: Rivals },
): Promise<Reply> {
  const { operation } = asked;
  const written = await beginWrite(parts, system, asked);
  let reply: Reply | undefined;
  let sent = false;
  const onSent = (): void => {
    sent = true;
    onUp();
  };
  try {
    reply = await updating(parts, system, asked, (patience) =>
      guarded(parts, system, asked, patience, () => answerTo(system, asked, { patience, onSent, rivals })),
    );
    return reply;
  } catch (thrown) {
    if (isUnknown(thrown)) parts.doubts.raise(operation, system.route.deadlines.writeMs);
    throw thrown;
  } finally {
    // Whatever came back, the tenant may have changed: nothing older is served once this call is answered.
    parts.snapshots.learn(operation, { body: asked.body, reply });
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
