/**
 * Plays the rows of a stage one case after the other, ends its gateway, and only then judges: a part of the trail is
 * counted per source and written when the gateway ends. Each row is a test of its own, named by its number.
 */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';

import type { TrailRecord } from '../support/gateway.ts';
import { assertServing, type Siege } from '../support/siege.ts';
import type { Case, Outcome, Row, Stage } from './row.ts';
import { play } from './scene.ts';

/** What the table says of one case. */
export interface Line {
  readonly row: Row['row'];
  readonly sent: string;
  readonly expected: Outcome;
  readonly got: Outcome | undefined;
}

type Judge = Awaited<ReturnType<typeof play>>;
type Played =
  | { readonly judge: Judge; readonly records?: readonly TrailRecord[] }
  | { readonly fault: unknown };

/** @param report is told of every case, also of those that fail */
export function playStage<S extends Siege>(
  { title, open, rows, serves = assertServing }: Stage<S>,
  report: (line: Line) => void,
): void {
  describe(title, () => {
    const played = new Map<Case<S>, Played>();
    let trail: readonly TrailRecord[] = [];
    before(async () => {
      await using siege = await open();
      for (const each of rows.flatMap(({ cases }) => cases)) played.set(each, await playCase(siege, each));
      await serves(siege);
      trail = await siege.end();
    });
    for (const { row, situation, cases } of rows)
      test(`row ${row}: ${situation}`, () => {
        const judged = cases.map((each) => ({ each, ...judge(each, played.get(each), trail) }));
        for (const { each, expected, got } of judged) report({ row, sent: each.sent, expected, got });
        for (const { fault } of judged) if (fault !== undefined) throw fault;
        for (const { each, expected, got } of judged)
          assert.deepEqual({ sent: each.sent, ...got }, { sent: each.sent, ...expected });
      });
  });
}

async function playCase<S extends Siege>(shared: S, each: Case<S>): Promise<Played> {
  try {
    if (!each.open) return { judge: await play(shared, each) };
    await using own = await each.open();
    return { judge: await play(own, each), records: await own.end() };
  } catch (fault) {
    return { fault };
  }
}

function judge<S extends Siege>(
  each: Case<S>,
  played: Played | undefined,
  trail: readonly TrailRecord[],
): { expected: Outcome; got: Outcome | undefined; fault?: unknown } {
  const statements = Object.entries(each.besides ?? {});
  const expected = { ...each.expected, besides: statements.map(([words]) => words) };
  if (!played || 'fault' in played)
    return { expected, got: undefined, fault: played?.fault ?? new Error('the case was not played') };
  const { outcome, ...seen } = played.judge(played.records ?? trail);
  const besides = statements.filter(([, holds]) => holds(seen)).map(([words]) => words);
  return { expected, got: { ...outcome, besides } };
}
