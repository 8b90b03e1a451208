/** `gatehouse transform`: check transformations and run one on an entity. The engine is pure; the files are read here. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { text as readStream } from 'node:stream/consumers';

import { operations } from '../transformation/document.ts';
import { describe, type Fault } from '../transformation/fault.ts';
import type { Json } from '../transformation/json.ts';
import { compile, EntityFailure, type Outcome, type Run } from '../transformation/transformation.ts';
import { readable, readArguments, requireVerb, WrongUsage } from './arguments.ts';
import { explain } from './transform-explain.ts';

export const help = `usage: gatehouse transform check <file or folder> [--properties <file>] [--json]
       gatehouse transform run <file> --entity <type> [options]

check  reads a transformation, or every .json file below a folder, and reports all faults at once
run    transforms one entity and prints the output as JSON

options of both:
  --properties <file>      the system's properties: a JSON object of texts; without them every %key% reads null
  --help                   this text
options of check:
  --json                   [{"file":…,"faults":[…],"remarks":[…]}], one for each file
options of run:
  --entity <type>          user, group or another entity type of the transformation
  --operation <name>       ${operations.join(', ')} (default: read)
  --input <file>           the entity, or the body of the call, as JSON; - is standard input (default: {})
  --variable <name=value>  a variable that is set before the first mapping; may be repeated
  --mode <job or proxy>    what a delete does: all deleteEntity mappings, or only that of the id (default: job)
  --missing <as>           what a missing list equals in conditions: nothing or emptyList (default: nothing)
  --explain                mapping by mapping: taken or skipped and why, values before and after each function

examples:
  gatehouse transform check transformations/
  gatehouse transform run read.json --entity user --input user.json --variable entityBaseLocation=https://t/Users/
  gatehouse transform run write.json --entity user --operation create --input in.json --properties p.json --explain

exit codes:
  0  no faults; the entity was transformed
  1  faults; or the entity cannot be transformed
  2  the entity is left out: its condition is not fulfilled, or it is ignored or skipped
  4  the command was not understood, or a file cannot be read
`;

const options = {
  properties: { type: 'string' },
  json: { type: 'boolean' },
  entity: { type: 'string' },
  operation: { type: 'string', default: 'read' },
  input: { type: 'string' },
  variable: { type: 'string', multiple: true },
  mode: { type: 'string', default: 'job' },
  missing: { type: 'string', default: 'nothing' },
  explain: { type: 'boolean' },
} as const;

type Values = NonNullable<ReturnType<typeof understand>>['values'];

export async function run(args: readonly string[]): Promise<number> {
  requireVerb(args, ['check', 'run'], help);
  const asked = understand(args);
  if (!asked) return 0;
  const [command, path = ''] = asked.positionals;
  if (command === 'check') return check(path, asked.values);
  if (command === 'run') return transform(path, asked.values);
  throw new WrongUsage(`there is no command 'transform ${command}'`, help);
}

function understand(args: readonly string[]) {
  return readArguments(args, options, help, 2);
}

interface Checked {
  readonly file: string;
  readonly faults: readonly Fault[];
  readonly remarks: readonly Fault[];
}

async function check(path: string, values: Values): Promise<number> {
  const properties = await propertiesIn(values.properties);
  const checked: Checked[] = [];
  for (const file of await filesAt(path)) {
    const { transformation } = compile(await contentOf(file), file);
    checked.push({ file, ...transformation.check(properties) });
  }
  process.stdout.write(values.json ? `${JSON.stringify(checked, null, 2)}\n` : reportOf(checked));
  return checked.some(({ faults }) => faults.length > 0) ? 1 : 0;
}

async function filesAt(path: string): Promise<string[]> {
  if (!(await readable(path, help, () => stat(path))).isDirectory()) return [path];
  const entries = await readable(path, help, () => readdir(path, { recursive: true, withFileTypes: true }));
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.json'));
  if (files.length === 0) throw new WrongUsage(`there is no .json file below ${path}`, help);
  return files.map((entry) => join(entry.parentPath, entry.name)).toSorted();
}

function reportOf(checked: readonly Checked[]): string {
  const faulty = checked.filter(({ faults }) => faults.length > 0);
  const lines = checked.flatMap(({ file, faults, remarks }) => [
    ...(faults.length + remarks.length > 0 ? [file] : []),
    ...table(faults, '!'),
    ...table(remarks, ' '),
  ]);
  const count = checked.length === 1 ? '1 transformation' : `${checked.length} transformations`;
  return `${[...lines, `${count}, ${faulty.length} with faults`].join('\n')}\n`;
}

function table(faults: readonly Fault[], mark: string): string[] {
  const rows = faults.map(({ entity = '', mapping = '', key = '', reason }) => [
    entity,
    String(mapping),
    key,
    reason,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(0, ...rows.map((row) => (row[column] ?? '').length)));
  return rows.map(
    (row) => `  ${mark} ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`,
  );
}

async function transform(file: string, values: Values): Promise<number> {
  const course = await runOf(values);
  const { transformation } = compile(await contentOf(file), file);
  const { faults } = transformation.check(course.properties ?? {});
  if (faults.length > 0) {
    process.stderr.write(`${faults.map(describe).join('\n')}\n`);
    return 1;
  }
  try {
    const outcome = transformation.run(course);
    return tell(outcome, values.explain === true);
  } catch (error) {
    if (!(error instanceof EntityFailure)) throw error;
    if (values.explain) process.stdout.write(explain(error.trace, error.reason));
    process.stderr.write(`gatehouse: ${error.message}\n`);
    return 1;
  }
}

function tell(outcome: Outcome, explained: boolean): number {
  if (explained) process.stdout.write(explain(outcome.trace, undefined, outcome.variables));
  if (outcome.skipped) {
    process.stderr.write(`gatehouse: left out. ${outcome.skipped.reason}\n`);
    return 2;
  }
  process.stdout.write(`${JSON.stringify(outcome.output, null, 2)}\n`);
  return 0;
}

async function runOf(values: Values): Promise<Run> {
  const { entity, input } = values;
  if (entity === undefined) throw new WrongUsage('--entity is needed', help);
  const operation = oneOf('operation', values.operation, operations);
  const mode = oneOf('mode', values.mode, ['job', 'proxy'] as const);
  const missing = oneOf('missing', values.missing, ['nothing', 'emptyList'] as const);
  const variables = Object.fromEntries((values.variable ?? []).map(variableIn));
  const properties = await propertiesIn(values.properties);
  return {
    entity,
    operation,
    mode,
    missing,
    variables,
    properties,
    input: input === undefined ? {} : await jsonIn(input),
  };
}

function oneOf<const C extends string>(option: string, given: string, choices: readonly C[]): C {
  const choice = choices.find((known) => known === given);
  if (choice === undefined) throw new WrongUsage(`--${option} is one of ${choices.join(', ')}`, help);
  return choice;
}

function variableIn(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new WrongUsage('--variable is name=value', help);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** A null or absent property reads `null` in a transformation; other values are put in as their text. */
async function propertiesIn(file: string | undefined): Promise<Record<string, string>> {
  const given = file === undefined ? {} : await jsonIn(file);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new WrongUsage(`${file} is not a JSON object of properties`, help);
  }
  const set = Object.entries(given).filter(([, value]) => value !== null);
  return Object.fromEntries(
    set.map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
}

async function jsonIn(file: string): Promise<Json> {
  const content = file === '-' ? await readStream(process.stdin) : await contentOf(file);
  try {
    return JSON.parse(content);
  } catch {
    // The parser's message quotes the content, which may be personal.
    throw new WrongUsage(`${file} is not JSON`, help);
  }
}

function contentOf(file: string): Promise<string> {
  return readable(file, help, () => readFile(file, 'utf8'));
}
