/** Directories, and how callers go through them, for the property tests of pages. */
import assert from 'node:assert/strict';

import * as fc from 'fast-check';

import type { Ending, Totals } from './paging-tenant.ts';

/** Of each entity, whether it passes the condition. */
export function directoriesOf(most: {
  readonly entities: number;
  readonly run: number;
  readonly runs: number;
}) {
  return fc.oneof(
    fc.array(fc.boolean(), { maxLength: most.entities }),
    fc.integer({ min: 0, max: most.entities }).map((length) => Array<boolean>(length).fill(true)),
    // Whole stretches that the condition drops.
    fc
      .array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: most.run })), { maxLength: most.runs })
      .map((runs) => runs.flatMap(([passes, length]) => Array<boolean>(length).fill(passes))),
  );
}

export const allTotals: readonly Totals[] = ['provided', '2025', '2026'];
export const allEndings: readonly Ending[] = ['at the total', 'at the first total', 'at an empty page'];
export const totals = fc.constantFrom(...allTotals);
export const endings = fc.constantFrom(...allEndings);

/** Who plans by an estimate does not page correctly; it may have early what stands behind its end, and never less than directly. */
export function sameLoad(
  told: readonly string[],
  direct: readonly string[],
  { rule, ending }: { readonly rule: Totals; readonly ending: Ending },
): void {
  const given = new Set(direct);
  const mayHaveMore = ending === 'at the first total' && rule !== 'provided';
  const behind = mayHaveMore ? told.filter((id) => !given.has(id)) : [];
  assert.deepEqual(told.toSorted(), [...direct, ...new Set(behind)].toSorted());
}
