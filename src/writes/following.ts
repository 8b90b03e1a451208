/**
 * Waits for what another replica makes of the same write. Invariant: that a replica which has it at work cannot be heard is
 * never a reason to send it; the tenant is looked at, for as long as the patience lasts.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { begunBy, leftOf, type Answer, type Attempt } from './attempt.ts';
import type { KnownWrites } from './known-writes.ts';
import { renewEveryMs, type Claim } from './redis-records.ts';
import type { WriteRecord } from './write-record.ts';

const pollMs = 200;
/** After so long without a word the tenant is looked at; who is at work and has Redis again is heard earlier. */
const silenceMs = 2.5 * renewEveryMs;

/** What clocks of replicas may differ by. */
const skewMs = 2000;

interface Followed {
  /** Undefined: nobody knows what became of it. */
  readonly reply: Answer;
}

/** What the attempt that holds the lease came to; undefined when nothing was done, or all before we came: ours may begin. */
export async function follow(
  known: KnownWrites,
  attempt: Attempt,
  claim: Claim,
): Promise<Followed | undefined> {
  const { write, names } = attempt;
  let { holder } = claim;
  // Marks of ours may be older than what it writes, so none of them is a reason to send.
  const begun = {
    ...(claim.before ?? begunBy({ write, names, run: holder })),
    resources: [],
    isShared: false,
  };
  const cameAt = Date.now();
  const patientUntil = performance.now() + write.patienceMs;
  let heardAt = performance.now();
  for (;;) {
    await sleep(pollMs, undefined, { signal: write.left }).catch(() => write.left.throwIfAborted());
    const standing = await known.look(names.write, holder);
    // Whoever writes Redis can name another's attempt as the holder.
    if (standing?.told?.fingerprint === names.fingerprint)
      return heard(known, attempt, standing.told, cameAt);
    if (standing?.holder !== undefined) {
      holder = standing.holder;
      heardAt = performance.now();
    } else if (performance.now() - heardAt > silenceMs) {
      const reply = await lookUnheard(known, attempt, begun);
      if (reply || performance.now() > patientUntil) return { reply };
      heardAt = performance.now();
    }
  }
}

async function heard(
  known: KnownWrites,
  { write, names, work }: Attempt,
  told: WriteRecord,
  cameAt: number,
): Promise<Followed | undefined> {
  // What had ended before it came is nothing that it has waited for.
  const isPast = told.endedAt !== undefined && told.endedAt < cameAt - skewMs;
  if (!told.isSent || isPast) {
    known.forgetDoubt(names.write);
    return undefined;
  }
  write.onRepeat('joined');
  // An answer that is too large to be handed on is looked for like one that nobody knows.
  const reply = told.reply ?? (await work.look(told));
  if (reply) known.forgetDoubt(names.write);
  return { reply };
}

async function lookUnheard(
  known: KnownWrites,
  { write, names, work }: Attempt,
  begun: WriteRecord,
): Promise<Answer> {
  write.onRepeat('reconciled');
  known.doubt(names.write, begun, leftOf(begun));
  const reply = await work.look(begun);
  if (reply && !write.left.aborted) known.forgetDoubt(names.write);
  return reply;
}
