/**
 * Reads the text of a configuration as a plain document. What YAML can say beyond that is a fault, and no fault
 * repeats a value: a secret may stand where it must not.
 */
import { readFileSync } from 'node:fs';

import { isScalar, LineCounter, parseDocument, visit, type YAMLError } from 'yaml';

import { ConfigFaults, type Fault } from './config-faults.ts';

export function readDocument(file: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(readFile(file), {
    lineCounter: lines,
    stringKeys: true,
    // They would quote the line, and a misplaced secret could stand on it.
    prettyErrors: false,
  });
  const faults = worthTelling([...document.errors, ...document.warnings]).map(({ pos, code }): Fault => {
    const { line, col } = lines.linePos(pos[0]);
    // The code, because a message may quote a value.
    const problem = `is not valid YAML (${code.toLowerCase().replaceAll('_', ' ')})`;
    const path = `line ${line}, column ${col}`;
    if (code !== duplicate)
      return { path, problem, remedy: 'correct the line, or what is not closed in a line before it' };
    const [key, first] = twinAt(document, pos[0]);
    const before = `: ${key} stands in line ${lines.linePos(first).line} already`;
    return { path, problem: `${problem}${before}`, remedy: 'keep one of them, or write them as one' };
  });
  if (faults.length > 0) throw new ConfigFaults(file, faults);
  const content = resolveAliases(document);
  const problem = content === undefined ? 'an alias is unknown or repeats too much' : implausible(content);
  if (problem) throw new ConfigFaults(file, [{ path: file, problem, remedy: 'write the values out' }]);
  return content;
}

const duplicate = 'DUPLICATE_KEY';

/** In the order of the text. What a parser finds behind its first fault is mostly that fault again, but for keys. */
function worthTelling(found: readonly YAMLError[]): readonly YAMLError[] {
  const ordered = found.toSorted((one, other) => one.pos[0] - other.pos[0]);
  const first = ordered.find(({ code }) => code !== duplicate);
  return ordered.filter(
    (each) => each === first || (each.code === duplicate && each.pos[0] < (first?.pos[0] ?? Infinity)),
  );
}

/** Which key it is that stands at this place a second time, and where it stood first. */
function twinAt(
  document: ReturnType<typeof parseDocument>,
  place: number,
): readonly [key: string, first: number] {
  let found: readonly [string, number] = ['a key', place];
  visit(document, {
    Map(_, { items }) {
      const keys = items.map(({ key }) => key).filter(isScalar);
      const twin = keys.find(({ range }) => range?.[0] === place);
      const first = twin && keys.find(({ value }) => value === twin.value);
      if (first) found = [String(first.value), first.range?.[0] ?? place];
    },
  });
  return found;
}

function resolveAliases(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}

/** What YAML can say and a configuration cannot mean; the schema would pass `__proto__` over in silence. */
function implausible(value: unknown, around: readonly unknown[] = []): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (around.includes(value)) return 'an alias contains itself';
  if (Object.hasOwn(value, '__proto__')) return 'it has a key __proto__';
  const inner = Object.values(value).map((below) => implausible(below, [...around, value]));
  return inner.find((problem) => problem !== undefined);
}

function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const problem = `cannot be read (${Error.isError(cause) && 'code' in cause ? String(cause.code) : 'unknown'})`;
    const remedy = 'name an existing file with --config or GATEHOUSE_CONFIG';
    throw new ConfigFaults(file, [{ path: file, problem, remedy }]);
  }
}
