/** The table of all rows, for people: row, what is sent, what is expected, what came of it. */
import { elsewhere } from './elsewhere.ts';
import { describeOutcome, type Row } from './row.ts';
import type { Line } from './stage.ts';

type Cells = readonly [row: string, sent: string, expected: string, got: string];
const widths = [4, 48, 66] as const;

/** @param differing rows where the list that they come from says otherwise */
export function table(lines: readonly Line[], differing: readonly Pick<Row, 'row' | 'differs'>[]): string {
  const played = lines.map(({ row, sent, expected, got }): [Row['row'], Cells] => {
    const owed = describeOutcome(expected);
    const came = got ? describeOutcome(got) : 'could not be played';
    return [row, [String(row), printable(sent), owed, came === owed ? 'the same' : came]];
  });
  const held = Object.entries(elsewhere).map(([row, entry]): [Row['row'], Cells] => {
    return [Number(row), [row, entry.situation, `${entry.file}: ${entry.title}`, '–']];
  });
  const rows = [...played, ...held].toSorted(([one], [another]) => order(one) - order(another));
  const notes = differing
    .toSorted((one, another) => order(one.row) - order(another.row))
    .flatMap(({ row, differs }) => (differs === undefined ? [] : `${String(row).padStart(4)}  ${differs}`));
  const head: Cells = ['row', 'sent', 'expected', 'got'];
  return [
    ...[head, ...rows.map(([, cells]) => cells)].map(aligned),
    '',
    'Where the list says otherwise:',
    ...notes,
    '',
  ].join('\n');
}

/** Numbers first, names behind them as they come. */
const order = (row: Row['row']): number => (typeof row === 'number' ? row : Number.MAX_SAFE_INTEGER);

function printable(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replaceAll(String.raw`\"`, '"');
}

function aligned(cells: Cells): string {
  return cells
    .map((text, at) => text.padEnd(widths[at] ?? 0))
    .join('  ')
    .trimEnd();
}
