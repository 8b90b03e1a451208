/**
 * Runs the mappings of one entity, top to bottom (facts: transformations 3). They read the input and write a
 * fresh output; `remove` and `rename` work on the output; conditions see the input.
 */
import { scopeOf } from './condition.ts';
import type { Entity, Operation } from './document.ts';
import { RunFault } from './effort.ts';
import { type Around, kindOf } from './function-kind.ts';
import { holds } from './guard.ts';
import { equal, isArray, isBytes, isObject, type Json, MISSING, type Missing, type Value } from './json.ts';
import type { EntityScope, Mapping, Source } from './mapping.ts';
import { read } from './path-reading.ts';
import { type Sheet, remove, rename, write } from './path-writing.ts';
import type { FunctionTrace, MappingTrace } from './trace.ts';

/** A job writes to a target system, a proxy answers SCIM calls; they differ in what a delete does. */
export type Mode = 'proxy' | 'job';

export interface Course {
  readonly operation: Operation;
  readonly mode: Mode;
  readonly around: Around & { readonly variables: Map<string, Value> };
  readonly sheet: Sheet;
}

/** The mapping that fails, by throwing RunFault, is the last one in the trace. */
export function runMappings(entity: Entity, course: Course, trace: (entry: MappingTrace) => void): void {
  for (const mapping of entity.mappings) {
    const entry: Writable<MappingTrace> = { mapping: mapping.number, taken: false, why: '', functions: [] };
    trace(entry);
    entry.why = reasonToPass(mapping, course) ?? '';
    if (entry.why !== '') continue;
    entry.taken = true;
    entry.why = runMapping(mapping, course, entry);
    entry.taken = !entry.why.startsWith(passed);
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const passed = 'skipped: ';

function reasonToPass(mapping: Mapping, course: Course): string | undefined {
  if (mapping.ignore) return `${passed}ignore is set`;
  const scope = mapping.scope ?? 'no scope';
  if (!isInScope(mapping, course)) return `${passed}${scope} does not apply to ${course.operation}`;
  if (mapping.guard && !holds(mapping.guard, course.around)) return `${passed}the condition is not fulfilled`;
  return undefined;
}

const scopesOf: Readonly<Record<Operation, readonly (EntityScope | undefined)[]>> = {
  read: [undefined],
  create: [undefined, 'createEntity'],
  update: [undefined],
  patch: ['patchEntity'],
  delete: ['deleteEntity'],
};

/** The table of facts: transformations 5. */
function isInScope({ scope, targetVariable }: Mapping, { operation, mode }: Course): boolean {
  if (!scopesOf[operation].includes(scope)) return false;
  return operation !== 'delete' || mode === 'job' || targetVariable === 'entityIdTargetSystem';
}

/** What was done, for the trace. */
function runMapping(mapping: Mapping, course: Course, entry: Writable<MappingTrace>): string {
  if (mapping.type === 'remove') return runRemove(mapping, course);
  if (mapping.type === 'rename') return runRename(mapping, course);
  const sourced = valueOf(mapping, course);
  if (typeof sourced === 'string') return sourced;
  const start = unwrapped(mapping, sourced.value);
  const value = sourced.final ? start : throughFunctions(mapping, start, course, entry);
  if (value === MISSING) return `${passed}its functions found nothing and it is optional`;
  entry.value = presentable(value);
  return store(mapping, value, course);
}

function runRemove({ target }: Mapping, { sheet, around }: Course): string {
  if (target) remove(sheet, target.path, scopeOf(around, around.input));
  return 'removed, where it was there';
}

function runRename({ target, newName, optional }: Mapping, { sheet, around }: Course): string {
  if (!target || rename(sheet, target.path, newName, scopeOf(around, around.input)))
    return `renamed to ${newName}`;
  if (optional) return `${passed}there is nothing to rename and it is optional`;
  throw new RunFault(`there is nothing to rename at ${target.text}`);
}

interface Sourced {
  readonly value: Value;
  /** Goes to its target as it is. */
  readonly final?: true;
}

/** The value before the functions, or why there is none. */
function valueOf(mapping: Mapping, course: Course): Sourced | string {
  const { source, defaultValue, optional, functions } = mapping;
  const found = lookUp(mapping, course);
  if (found !== MISSING) return { value: found };
  if (defaultValue !== MISSING && (optional || source.kind === 'lookup')) {
    // A default passes through the functions, but null is nothing they could work on: SAP's own transformation of
    // SuccessFactors has it before elementAt for users without e-mail.
    return defaultValue === null ? { value: null, final: true } : { value: defaultValue };
  }
  if (optional) return `${passed}${nothingAt(source)} and it is optional`;
  if (source.kind === 'variable') return `${passed}${nothingAt(source)}`;
  if (source.kind === 'none') return functions.length > 0 ? { value: null } : `${passed}it has no source`;
  throw new RunFault(`${nothingAt(source)} and it is not optional`);
}

function nothingAt(source: Source): string {
  if (source.kind === 'path') return `there is no value at ${source.text}`;
  if (source.kind === 'variable') return `the variable ${source.name} is not set`;
  return source.kind === 'lookup' ? 'no entry of valueMappings fits' : 'there is no source';
}

function lookUp({ source, preserve }: Mapping, { around }: Course): Value | Missing {
  switch (source.kind) {
    case 'none':
      return MISSING;
    case 'constant':
      return source.value;
    case 'path':
      return read(source.path, scopeOf(around, around.input));
    case 'variable': {
      const value = around.variables.get(source.name);
      if (value === undefined || !source.path || isBytes(value)) return value ?? MISSING;
      return read(source.path, { ...scopeOf(around, value), document: value });
    }
    case 'lookup': {
      const values = source.paths.map((path) => {
        const value = read(path, scopeOf(around, around.input));
        return value === MISSING || preserve ? value : alone(value);
      });
      if (values.includes(MISSING)) return MISSING;
      const row = source.rows.find(({ key }) => key.every((part, at) => isSame(part, values[at] ?? MISSING)));
      return row ? row.value : MISSING;
    }
  }
}

function isSame(part: Json, value: Json | Missing): boolean {
  return value !== MISSING && equal(part, value);
}

function alone(value: Json): Json {
  return isArray(value) && value.length === 1 ? (value[0] ?? null) : value;
}

/** A list of one becomes its element, before the functions (facts: transformations 3, 6.3). */
function unwrapped({ source, preserve }: Mapping, value: Value): Value {
  return preserve || source.kind === 'constant' || isBytes(value) ? value : alone(value);
}

function throughFunctions(
  mapping: Mapping,
  start: Value,
  { around }: Course,
  entry: Writable<MappingTrace>,
): Value | Missing {
  let value = start;
  const functions: FunctionTrace[] = [];
  entry.functions = functions;
  for (const step of mapping.functions) {
    try {
      const { value: result, note } = step.apply(value, around);
      const after = result === MISSING ? undefined : presentable(result);
      functions.push({
        name: step.name,
        before: presentable(value),
        after,
        ...(note !== undefined && { note }),
      });
      if (result === MISSING) return instead(mapping, step.name);
      value = result;
    } catch (error) {
      if (error instanceof RunFault) throw new RunFault(`${step.name}: ${error.message}`);
      throw error;
    }
  }
  return value;
}

/** A function that finds nothing leaves the mapping as if its source were missing. */
function instead({ defaultValue, optional }: Mapping, name: string): Json | Missing {
  if (defaultValue !== MISSING) return defaultValue;
  if (optional) return MISSING;
  throw new RunFault(`${name} found nothing and the mapping is not optional`);
}

function store(mapping: Mapping, value: Value, { around, sheet }: Course): string {
  const { target, targetVariable } = mapping;
  if (targetVariable !== undefined) around.variables.set(targetVariable, value);
  if (!target) return targetVariable === undefined ? 'has no target' : `stored in variable ${targetVariable}`;
  const written = presentable(value);
  if (target.path.steps.length === 0 && !isObject(written)) {
    throw new RunFault(`the whole output cannot be ${kindOf(written)}`);
  }
  if (write(sheet, target.path, written, scopeOf(around, around.input))) {
    return `written to ${target.text}${targetVariable === undefined ? '' : ` and to variable ${targetVariable}`}`;
  }
  if (mapping.optional) return `${passed}there is nothing to write to at ${target.text} and it is optional`;
  throw new RunFault(`there is nothing to write to at ${target.text}`);
}

/** Bytes that reach the output become base64, as Jackson writes them. */
function presentable(value: Value): Json {
  if (isBytes(value)) return value.toBase64();
  return isArray(value) && value.some(isBytes) ? value.map((item) => presentable(item)) : value;
}
