/**
 * A write as its repeats see it: sent once, and never again while it may have been carried out. What is unknown in the end
 * is told as unknown, whatever was known of it before.
 */
import type { Reply } from '../scim/call.ts';
import type { ScimError } from '../scim/error.ts';
import type { RepeatableWrite, Rivals, Work } from '../writes/attempt.ts';
import { readIdempotencyKey } from '../writes/idempotency-key.ts';
import type { Repeats } from '../writes/repeats.ts';
import type { Asked, System } from './place.ts';
import { reconcile } from './reconcile.ts';
import { unknownOutcome } from './verdict.ts';
import { isUnknown } from './write-answer.ts';

export interface RepeatParts {
  readonly repeats: Repeats;
  readonly patienceMs: number;
}

interface WriteSteps {
  /** Carries it out, and looks where no certain answer came. */
  readonly send: (onSent: () => void, rivals: Rivals) => Promise<Reply>;
  /** Forgets what is remembered of the system, when a look has found what a write did. */
  readonly forget: () => Promise<void>;
}

export async function once(
  { repeats, patienceMs }: RepeatParts,
  system: System,
  asked: Asked,
  { send, forget }: WriteSteps,
): Promise<Reply> {
  const { call, caller, operation, body, entry } = asked;
  const { method, headers, left } = call;
  const key = readIdempotencyKey(headers['idempotency-key']);
  const { enabled, windowMs, lookForMs } = system.repeats;
  let unknown: ScimError | undefined;
  const sendOnce: Work['send'] = (onSent, rivals) =>
    send(onSent, rivals).catch((thrown: unknown) => {
      if (!isUnknown(thrown)) throw thrown;
      unknown = thrown;
      return undefined;
    });
  const origin = system.location.base.href;
  const { readMs, writeMs } = system.route.deadlines;
  const write: RepeatableWrite = {
    caller,
    method,
    operation,
    headers,
    body,
    origin,
    key,
    left,
    windowMs,
    longestMs: patienceMs + writeMs + lookForMs + readMs,
    patienceMs,
    onRepeat: (repeat) => entry.add({ repeat }),
  };
  const look: Work['look'] = async (sent) => {
    const reply = await reconcile(system, asked, sent);
    await forget();
    return reply;
  };
  const isOn = enabled || key !== undefined;
  const reply = isOn
    ? await repeats.run(write, { send: sendOnce, look })
    : await sendOnce(() => undefined, { isContested: false, isUnasked: false });
  if (!reply) throw unknown ?? unknownOutcome();
  return reply;
}
