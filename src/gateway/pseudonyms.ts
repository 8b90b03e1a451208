/** The trail's pseudonyms for others than its own records: whoever reads both finds the same. */
import { keyOf, RunningPeriod, type PeriodKey } from '../audit/period.ts';
import { Redactor } from '../audit/redact.ts';
import type { Pseudonyms } from '../guard/running-load.ts';

/** @param first the key of the oldest period that can be read */
export function pseudonymsFrom(first: PeriodKey): () => Pseudonyms {
  const running = new RunningPeriod(first);
  const redactors = new Map<string, Redactor | undefined>();
  const redactorOf = (period: string): Redactor | undefined =>
    redactors.getOrInsertComputed(period, () => {
      const key = keyOf(first, period);
      return key && new Redactor(key);
    });
  return () => ({
    period: running.at(new Date()).period,
    of: (id, period) => redactorOf(period)?.pseudonym('id', id),
  });
}
