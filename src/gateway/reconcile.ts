/**
 * Looks at the tenant after a write of which nobody knows, before anybody is answered. Each look is a physical call with a
 * turn and records of its own, which belong to the write's request; it bypasses the cache, and goes on when the caller left.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import { lookAfter, type Finding, type Look, type Sent } from '../writes/look.ts';
import { lookFor, patienceFor } from './own-calls.ts';
import type { Asked, System } from './place.ts';

/** What a write shows later than at once: eventual consistency takes moments, a repeat by IPS itself minutes (facts: IPS 5.3). */
const waits = [0, 0.2, 0.5] as const;

/** The write's true answer, if looking proves it; what was found is in the trail. */
export async function reconcile(system: System, asked: Asked, sent: Sent): Promise<Reply | undefined> {
  const { operation, body, entry } = asked;
  const look = lookAfter(operation, body, system);
  const finding = look ? await lookRepeatedly(system, asked, look, sent) : undecided;
  entry.add({ reconciled: finding.result });
  return 'reply' in finding ? finding.reply : undefined;
}

const undecided: Finding = { result: 'undecided' };

async function lookRepeatedly(system: System, asked: Asked, look: Look, sent: Sent): Promise<Finding> {
  const { ending } = system.route;
  const until = performance.now() + system.repeats.lookForMs;
  let finding = undecided;
  for (const share of waits) {
    await sleep(share * system.repeats.lookForMs, undefined, { signal: ending }).catch(() => undefined);
    // A tenant that is slow to answer is not asked more often than the time is for.
    if (ending.aborted || (share > 0 && performance.now() > until)) break;
    finding = await lookOnce(system, asked, look, sent);
    if ('reply' in finding || system.repeats.lookForMs === 0) break;
  }
  return finding;
}

async function lookOnce(system: System, asked: Asked, look: Look, sent: Sent): Promise<Finding> {
  const { operation, alive } = look;
  try {
    const reply = await read(system, asked, operation);
    const finding = look.judge(reply, { ...sent, lookedAt: Date.now() });
    if (!('reply' in finding) || !alive) return finding;
    return (await read(system, asked, alive)).status === 200 ? finding : undecided;
  } catch (thrown) {
    // Its records tell why; nothing is known that was not known before.
    if (thrown instanceof ScimError) return undecided;
    throw thrown;
  }
}

function read({ route, repeats }: System, asked: Asked, operation: Operation): Promise<Reply> {
  const patience = patienceFor(Math.max(1000, repeats.lookForMs));
  return lookFor('reconcile', route, asked, operation, patience);
}
