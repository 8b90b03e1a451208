/** The explanation of one run, mapping by mapping. It shows values, so it is for a terminal, never for a log. */
import type { Json } from '../transformation/json.ts';
import type { MappingTrace } from '../transformation/trace.ts';

const widest = 120;

export function explain(
  trace: readonly MappingTrace[],
  failure: string | undefined,
  variables: Readonly<Record<string, Json>> = {},
): string {
  const lines = trace.flatMap((entry, at) =>
    explainMapping(entry, at === trace.length - 1 ? failure : undefined),
  );
  const set = Object.entries(variables).map(([name, value]) => `  ${name} = ${short(value)}`);
  return [...lines, ...(set.length > 0 ? ['variables', ...set] : []), ''].join('\n');
}

function explainMapping({ mapping, taken, why, value, functions }: MappingTrace, failure?: string): string[] {
  const verdict = failure === undefined ? why : `fails: ${failure}`;
  const shown = taken && value !== undefined ? `: ${short(value)}` : '';
  const steps = functions.map(({ name, before, after, note }) => {
    const result = after === undefined ? 'nothing' : short(after);
    return `        ${name}: ${short(before)} -> ${result}${note === undefined ? '' : ` (${note})`}`;
  });
  return [
    `${String(mapping).padStart(4)} ${failure === undefined ? (taken ? '+' : '-') : '!'} ${verdict}${shown}`,
    ...steps,
  ];
}

function short(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > widest ? `${text.slice(0, widest)}…` : text;
}
