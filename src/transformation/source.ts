/** Where a mapping's value comes from and what its functions make of it (facts: transformations 3, 4.4, 6.3). */
import { scopeOf } from './condition.ts';
import { RunFault } from './effort.ts';
import type { Step } from './function-frame.ts';
import type { Around } from './function-kind.ts';
import {
  equal,
  isArray,
  isBytes,
  type Json,
  MISSING,
  type Missing,
  presentable,
  type Value,
} from './json.ts';
import type { Mapping, Source } from './mapping.ts';
import { read } from './path-reading.ts';
import type { FunctionTrace } from './trace.ts';

export interface Sourced {
  readonly value: Value;
  /** Goes to its target as it is. */
  readonly final?: true;
}

export interface Nothing {
  /** Why there is no value. */
  readonly nothing: string;
}

export function sourceOf(mapping: Mapping, around: Around): Sourced | Nothing {
  const { source, defaultValue, optional, preserve, functions } = mapping;
  // A function such as randomPassword needs no value.
  if (source.kind === 'none' && functions.length > 0) return { value: null };
  const found = lookUp(mapping, around);
  if (found !== MISSING) {
    const keeps = preserve || source.kind === 'constant' || isBytes(found);
    return { value: keeps ? found : alone(found) };
  }
  if (defaultValue === MISSING || !(optional || source.kind === 'lookup'))
    return { nothing: nothingAt(source) };
  // A default passes through the functions, but null is nothing they could work on: SAP's own transformation of
  // SuccessFactors has it before elementAt for users without e-mail.
  if (defaultValue === null) return { value: null, final: true };
  return { value: preserve ? defaultValue : alone(defaultValue) };
}

function nothingAt(source: Source): string {
  if (source.kind === 'path') return `there is no value at ${source.text}`;
  if (source.kind === 'variable') return `there is no value in variable ${source.name}`;
  return source.kind === 'lookup' ? 'no entry of valueMappings fits' : 'it has no source';
}

function lookUp({ source, preserve }: Mapping, around: Around): Value | Missing {
  if (source.kind === 'constant') return source.value;
  if (source.kind === 'path') return read(source.path, scopeOf(around, around.input));
  if (source.kind === 'variable') {
    const value = around.variables.get(source.name);
    if (value === undefined || !source.path || isBytes(value)) return value ?? MISSING;
    return read(source.path, { ...scopeOf(around, value), document: value });
  }
  return source.kind === 'lookup' ? rowFor(source, preserve, around) : MISSING;
}

function rowFor(
  { paths, rows }: Source & { kind: 'lookup' },
  preserve: boolean,
  around: Around,
): Json | Missing {
  const values = paths.map((path) => {
    const value = read(path, scopeOf(around, around.input));
    return value === MISSING || preserve ? value : alone(value);
  });
  const row = rows.find(({ key }) =>
    values.every((value, at) => value !== MISSING && equal(value, key[at] ?? null)),
  );
  return row ? row.value : MISSING;
}

/** A list of one becomes its element. */
function alone(value: Json): Json {
  return isArray(value) && value.length === 1 ? (value[0] ?? null) : value;
}

export function throughFunctions(
  mapping: Mapping,
  start: Value,
  around: Around,
  trace: FunctionTrace[],
): Value | Missing {
  let value = start;
  for (const step of mapping.functions) {
    const result = applyStep(step, value, around, trace);
    if (result === MISSING) return instead(mapping, step.name);
    value = result;
  }
  return value;
}

function applyStep(step: Step, value: Value, around: Around, trace: FunctionTrace[]): Value | Missing {
  const before = presentable(value);
  try {
    const { value: result, note } = step.apply(value, around);
    const after = result === MISSING ? undefined : presentable(result);
    trace.push({ name: step.name, before, after, ...(note !== undefined && { note }) });
    return result;
  } catch (error) {
    if (!(error instanceof RunFault)) throw error;
    trace.push({ name: step.name, before, after: undefined, note: error.message });
    throw new RunFault(`${step.name}: ${error.message}`);
  }
}

/** A function that finds nothing leaves the mapping as if its source were missing. */
function instead({ defaultValue, optional }: Mapping, name: string): Json | Missing {
  if (defaultValue !== MISSING) return defaultValue;
  if (optional) return MISSING;
  throw new RunFault(`${name} found nothing and the mapping is not optional`);
}
