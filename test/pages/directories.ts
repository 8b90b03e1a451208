/** Directories, and how callers go through them, for the property tests of pages. */
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

export const totals = fc.constantFrom<Totals[]>('provided', '2025', '2026');
export const endings = fc.constantFrom<Ending[]>('at the total', 'at an empty page');
