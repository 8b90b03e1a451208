/**
 * How old something is, by clocks of the day: those of replicas differ, and each can be set back. What lies ahead of ours may be
 * of any age, so nobody may tell it as new.
 */

/** By which good clocks differ, and no more, because what a caller asks of an age is kept to within this. */
const clocksDifferMs = 1000;

/** Never negative (RFC 9111 §5.1); undefined where nobody knows. */
export function ageOf(at: number, now: number): number | undefined {
  const ageMs = now - at;
  return ageMs < -clocksDifferMs ? undefined : Math.max(0, ageMs);
}
