/**
 * The frame around each function of a pipeline (facts: transformations 8.1): its condition, the elements it is
 * applied to and the attribute it reads and writes. What is not applied passes unchanged, and the trace says so.
 */
import { catalogue } from './catalogue.ts';
import { SyntaxFault } from './cursor.ts';
import { RunFault } from './effort.ts';
import { type Around, type FunctionKind, Given, kindOf, refusalOf, type Work } from './function-kind.ts';
import { compileGuard, holds, type Guard } from './guard.ts';
import {
  isArray,
  isBytes,
  isObject,
  type Json,
  type JsonObject,
  MISSING,
  type Missing,
  property,
  textOf,
  type Value,
} from './json.ts';
import { insertVariables } from './variables.ts';

export interface Step {
  readonly name: string;
  readonly apply: (value: Value, around: Around) => Outcome;
}

export interface Outcome {
  readonly value: Value | Missing;
  /** Why the value, or some of it, passed unchanged. */
  readonly note?: string;
}

export type Report = (key: string, reason: string) => void;

interface Frame {
  readonly guard: Guard | undefined;
  readonly applyOnElements: boolean;
  readonly applyOnAttribute: string | undefined;
  readonly assignToAttribute: string | undefined;
}

const frameKeys: ReadonlySet<string> = new Set([
  'function',
  'type',
  'condition',
  'applyOnElements',
  'applyOnAttribute',
  'applyOnJsonAttribute',
  'assignToAttribute',
]);

/** Undefined when there is a fault; all of them are reported. */
export function compileFunction(definition: Json, report: Report): Step | undefined {
  if (!isObject(definition)) {
    report('functions', 'a function must be an object');
    return undefined;
  }
  const name = nameOf(definition, report);
  const kind = name === undefined ? undefined : kindNamed(name);
  if (name === undefined) return undefined;
  if (!kind) {
    report('function', `unknown function ${name}`);
    return undefined;
  }
  let faulty = false;
  const refuse: Report = (key, reason) => {
    faulty = true;
    report(key, `${name}: ${reason}`);
  };
  checkParameters(definition, kind, refuse);
  const frame = frameOf(definition, refuse);
  const work = faulty ? undefined : workOf(definition, kind, refuse);
  return work ? { name, apply: (value, around) => applyFrame(frame, kind, work, value, around) } : undefined;
}

function kindNamed(name: string): FunctionKind | undefined {
  return Object.hasOwn(catalogue, name) ? catalogue[name] : undefined;
}

/** The name stands in `function` or in `type`. */
function nameOf(definition: JsonObject, report: Report): string | undefined {
  const names = ['function', 'type']
    .map((key) => property(definition, key))
    .filter((name) => name !== MISSING);
  const [name] = names;
  if (typeof name === 'string' && names.every((other) => other === name)) return name;
  report(
    'function',
    names.length === 0 ? 'a function needs a name' : 'a function needs one name, and it must be a text',
  );
  return undefined;
}

function checkParameters(definition: JsonObject, kind: FunctionKind, refuse: Report): void {
  for (const [key, value] of Object.entries(definition)) {
    const parameter = Object.hasOwn(kind.parameters, key) ? kind.parameters[key] : undefined;
    if (!parameter && !frameKeys.has(key)) refuse(key, 'unknown parameter');
    const refusal = parameter && refusalOf(key, value, parameter);
    if (refusal) refuse(key, refusal);
  }
  for (const [key, parameter] of Object.entries(kind.parameters)) {
    if (parameter.required && !Object.hasOwn(definition, key)) refuse(key, `${key} is required`);
  }
}

function frameOf(definition: JsonObject, refuse: Report): Frame {
  const attribute = (key: string): string | undefined => {
    const name = property(definition, key);
    if (name === MISSING) return undefined;
    if (typeof name !== 'string') refuse(key, `${key} must be a text`);
    return typeof name === 'string' ? name : undefined;
  };
  const condition = property(definition, 'condition');
  const elements = property(definition, 'applyOnElements');
  if (![true, false, 'true', 'false', MISSING].some((known) => known === elements)) {
    refuse('applyOnElements', 'applyOnElements must be true or false');
  }
  return {
    guard:
      condition === MISSING ? undefined : compileGuard(condition, (reason) => refuse('condition', reason)),
    applyOnElements: elements === true || elements === 'true',
    applyOnAttribute: attribute('applyOnAttribute') ?? attribute('applyOnJsonAttribute'),
    assignToAttribute: attribute('assignToAttribute'),
  };
}

/** Parameters with a variable in them are prepared for each run, the others once. */
function workOf(definition: JsonObject, kind: FunctionKind, refuse: Report): Work | undefined {
  const own = Object.entries(definition).filter(([key]) => Object.hasOwn(kind.parameters, key));
  if (own.some(([, given]) => typeof given === 'string' && given.includes('${')))
    return filledWork(own, kind);
  try {
    return kind.prepare(new Given(Object.fromEntries(own)));
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    refuse(own.find(([key]) => key === 'regex')?.[0] ?? 'function', error.message);
    return undefined;
  }
}

function filledWork(own: readonly (readonly [string, Json])[], kind: FunctionKind): Work {
  return (value, around) => {
    const filled = own.map(([key, given]) => {
      return [key, typeof given === 'string' ? insertVariables(given, around.variables) : given] as const;
    });
    try {
      return kind.prepare(new Given(Object.fromEntries(filled)))(value, around);
    } catch (error) {
      if (error instanceof SyntaxFault) throw new RunFault(`with its variables: ${error.reason}`);
      throw error;
    }
  };
}

function applyFrame(frame: Frame, kind: FunctionKind, work: Work, value: Value, around: Around): Outcome {
  const eachElement = frame.applyOnElements || kind.iterates || frame.applyOnAttribute !== undefined;
  if (!isArray(value) || !eachElement) return applyOnce(frame, work, value, around);
  const outcomes = value.map((element) => applyOnce(frame, work, element, around));
  const kept = outcomes.flatMap(({ value: result }) => (result === MISSING ? [] : [result]));
  const notes = outcomes.filter(({ note }) => note !== undefined);
  const note = notes[0]?.note;
  // Bytes may stand inside a value between two functions; they become text before anything is written.
  return {
    value: kept as Json[],
    ...(note !== undefined && { note: `${notes.length} of ${value.length} elements: ${note}` }),
  };
}

function applyOnce(frame: Frame, work: Work, value: Value, around: Around): Outcome {
  const current = isBytes(value) ? textOf(value) : value;
  if (frame.guard && !holds(frame.guard, around, current))
    return { value, note: 'its condition is not fulfilled' };
  const { applyOnAttribute: from, assignToAttribute: to } = frame;
  if (from === undefined && to === undefined) return { value: work(value, around) };
  if (!isObject(value)) return { value, note: `the value is ${kindOf(value)} and has no attributes` };
  const read = from === undefined ? value : property(value, from);
  if (read === MISSING) return { value, note: `there is no attribute ${from}` };
  const result = work(read, around);
  if (result === MISSING) return { value, note: 'the function found nothing' };
  return { value: { ...value, [to ?? from ?? '']: result as Json } };
}
