/**
 * The answer to one write: the tenant's own, or what a look proves where the tenant said nothing certain. Invariant: what is
 * told as done is done, and what cannot be told is thrown as `outcome-unknown`.
 */
import type { Reply } from '../scim/call.ts';
import { kinds, ScimError } from '../scim/error.ts';
import type { Rivals } from '../writes/attempt.ts';
import { tellConflict } from '../writes/conflict.ts';
import type { Sent } from '../writes/look.ts';
import { ask, type Patience } from './ask.ts';
import type { Asked, System } from './place.ts';
import { reconcile } from './reconcile.ts';

export interface Sending {
  readonly patience: Patience;
  readonly onSent: () => void;
  readonly rivals: Rivals;
}

export async function answerTo(
  system: System,
  asked: Asked,
  { patience, onSent, rivals: { isContested, isUnasked } }: Sending,
): Promise<Reply> {
  const { operation } = asked;
  let sent: Sent | undefined;
  const up = (): void => {
    sent ??= { sentAt: Date.now(), isContested };
    onSent();
  };
  const beganAt = performance.now();
  try {
    const told = await ask(system.route, { ...asked, patience, onSent: up });
    if (system.kind !== 'ips') return told;
    const reply = tellConflict(operation, told);
    const isConflict = operation.kind === 'create' && reply.status === kinds.conflict.status;
    // What another replica created for the same caller at the same time, or IPS at its first attempt, is no conflict.
    const mayBeOwn = isUnasked || performance.now() - beganAt >= ownConflictMs;
    if (!sent || !isConflict || !mayBeOwn) return reply;
    const found = await reconcile(system, asked, sent);
    return found && found.status < 300 ? found : reply;
  } catch (thrown) {
    const found = isUnknown(thrown) && sent && (await reconcile(system, asked, sent));
    if (!found) throw thrown;
    return found;
  }
}

/**
 * IPS repeats a create whose answer from the backend it did not get, after 30 s unless it is configured otherwise, and then
 * meets what it has created itself (facts: IPS 5.3).
 */
const ownConflictMs = 20_000;

export function isUnknown(thrown: unknown): thrown is ScimError {
  return thrown instanceof ScimError && thrown.kind === 'outcome-unknown';
}
