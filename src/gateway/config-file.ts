/**
 * Reads the text of a configuration as a plain document. What YAML can say beyond that is a fault, and no fault
 * repeats a value: a secret may stand where it must not.
 */
import { readFileSync } from 'node:fs';

import { LineCounter, parseDocument } from 'yaml';

import { ConfigFaults, type Fault } from './config-faults.ts';

export function readDocument(file: string): unknown {
  const lines = new LineCounter();
  const document = parseDocument(readFile(file), {
    lineCounter: lines,
    stringKeys: true,
    // They would quote the line, and a misplaced secret could stand on it.
    prettyErrors: false,
  });
  const faults = [...document.errors, ...document.warnings].map(({ pos, code }): Fault => {
    const { line, col } = lines.linePos(pos[0]);
    // The code, because a message may quote a value.
    const problem = `is not valid YAML (${code.toLowerCase().replaceAll('_', ' ')})`;
    return { path: `line ${line}, column ${col}`, problem, remedy: 'correct the line' };
  });
  if (faults.length > 0) throw new ConfigFaults(file, faults);
  const content = resolveAliases(document);
  const problem = content === undefined ? 'an alias is unknown or repeats too much' : implausible(content);
  if (problem) throw new ConfigFaults(file, [{ path: file, problem, remedy: 'write the values out' }]);
  return content;
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
