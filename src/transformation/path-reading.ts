/**
 * Follows a path through a document. What is found comes with the place it was found at, so that reading,
 * removing, renaming and writing share one walk. Every visited node costs effort.
 */
import type { Effort } from './effort.ts';
import type { Condition, Path, Step } from './expression.ts';
import {
  type Draft,
  type DraftObject,
  isArray,
  isObject,
  type Json,
  type JsonObject,
  MISSING,
  type Missing,
  property,
  setProperty,
} from './json.ts';
import { pathFunctions } from './path-functions.ts';
import { isDefinite } from './path-grammar.ts';

/** A visited node takes as long as some steps of the matcher, in which effort is counted. */
const nodeCost = 5;

export interface Scope {
  /** What `$` means. */
  readonly document: Json;
  /** What `@` means. */
  readonly current: Json;
  readonly effort: Effort;
  readonly accepts: (condition: Condition, current: Json) => boolean;
}

/** A value and the object or list that holds it; `holder` is absent for the document itself. */
export interface Found {
  readonly value: Json;
  readonly holder?: JsonObject | readonly Json[];
  readonly key?: string | number;
}

/** A definite path yields its value or MISSING; an indefinite one a list, unless its beginning is missing. */
export function read(path: Path, scope: Scope): Json | Missing {
  const found = locate(path, scope);
  if (found === undefined) return MISSING;
  if (!path.definite) return found.map(({ value }) => value);
  return found[0] ? found[0].value : MISSING;
}

/** All places a path leads to; undefined when its definite beginning is missing. */
export function locate(path: Path, scope: Scope): Found[] | undefined {
  let places: Found[] = [{ value: path.root === '$' ? scope.document : scope.current }];
  let definite = true;
  let scanned = false;
  for (const [at, step] of path.steps.entries()) {
    const last = at === path.steps.length - 1;
    const next: Found[] = [];
    for (const place of places) {
      const taken = take({ step, last, scanned }, place, scope);
      if (taken === undefined && definite) return undefined;
      next.push(...(taken ?? []));
      scope.effort.spend(nodeCost * (1 + (taken?.length ?? 0)));
    }
    places = next;
    definite &&= isDefinite(step, last);
    scanned = step.kind === 'deep';
  }
  return places;
}

interface Stride {
  readonly step: Step;
  readonly last: boolean;
  /** The step before was `..`, which hands over every object and list below. */
  readonly scanned: boolean;
}

/** The places one step leads to from one place; undefined when the step cannot be applied there. */
function take(stride: Stride, place: Found, scope: Scope): Found[] | undefined {
  const { step } = stride;
  const { value } = place;
  switch (step.kind) {
    case 'key':
      return isObject(value) ? member(value, step.key) : undefined;
    case 'keys':
      return isObject(value) ? members(value, step.keys, stride) : undefined;
    case 'every':
      return everyMember(value);
    case 'deep':
      return descend(place, scope);
    case 'filter':
      return filter(step.condition, place, stride, scope);
    case 'call':
      return call(step, value, scope);
    default:
      return isArray(value) ? pick(value, indexesOf(step, value.length)) : undefined;
  }
}

function member(holder: JsonObject, key: string): Found[] | undefined {
  const value = property(holder, key);
  return value === MISSING ? undefined : [{ value, holder, key }];
}

/** At the end of a path several keys make one object, before it they are branches. */
function members(holder: JsonObject, keys: readonly string[], { last, scanned }: Stride): Found[] {
  if (!last) return keys.flatMap((key) => member(holder, key) ?? []);
  if (scanned && !keys.every((key) => Object.hasOwn(holder, key))) return [];
  const merged: DraftObject = {};
  for (const key of keys) {
    const value = property(holder, key);
    // The members are only read through this object, never changed.
    if (value !== MISSING) setProperty(merged, key, value as Draft);
  }
  return [{ value: merged }];
}

function everyMember(holder: Json): Found[] {
  if (isArray(holder)) return holder.map((value, key) => ({ value, holder, key }));
  return isObject(holder) ? Object.entries(holder).map(([key, value]) => ({ value, holder, key })) : [];
}

/** The place itself and every object and list below it, outer before inner. */
function descend(place: Found, scope: Scope): Found[] {
  const found: Found[] = [];
  const pending: Found[] = [place];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    scope.effort.spend(nodeCost);
    if (!isArray(next.value) && !isObject(next.value)) continue;
    found.push(next);
    pending.push(...everyMember(next.value).toReversed());
  }
  return found;
}

/** A list is tested element by element, an object as a whole (facts: transformations 6.1). */
function filter(condition: Condition, place: Found, { scanned }: Stride, scope: Scope): Found[] | undefined {
  if (isObject(place.value)) return scope.accepts(condition, place.value) ? [place] : [];
  // After `..` the elements come by themselves.
  if (scanned) return [];
  if (!isArray(place.value)) return undefined;
  return everyMember(place.value).filter(({ value }) => scope.accepts(condition, value));
}

function pick(holder: readonly Json[], indexes: readonly number[]): Found[] | undefined {
  const found = indexes.flatMap((index) => {
    const key = index < 0 ? holder.length + index : index;
    return key >= 0 && key < holder.length ? [{ value: holder[key] ?? null, holder, key }] : [];
  });
  return found.length === 0 && indexes.length === 1 ? undefined : found;
}

/** Jayway does not wrap a negative start when there is an end as well: it counts both as they stand. */
function indexesOf(step: Step, length: number): readonly number[] {
  if (step.kind === 'index') return [step.index];
  if (step.kind === 'indexes') return step.indexes;
  if (step.kind !== 'slice') return [];
  const { from, to } = step;
  if (from !== undefined && to !== undefined) return range(Math.max(from, -length), Math.min(to, length));
  if (from !== undefined) return range(Math.max(0, from < 0 ? length + from : from), length);
  const end = to ?? length;
  return range(0, Math.min(length, end < 0 ? length + end : end));
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at);
}

function call(step: Step & { kind: 'call' }, value: Json, scope: Scope): Found[] | undefined {
  const parameters = step.parameters.map((parameter) =>
    'kind' in parameter ? parameter.value : read(parameter, scope),
  );
  const reckon = pathFunctions[step.name];
  const result = reckon
    ? reckon(
        value,
        parameters.filter((item) => item !== MISSING),
      )
    : MISSING;
  return result === MISSING ? undefined : [{ value: result }];
}
