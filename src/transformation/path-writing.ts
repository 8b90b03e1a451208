/**
 * Writing into, removing from and renaming in the output (facts: transformations 4.2, 4.3, 6.2). Steps that
 * choose (`[*]`, filters, slices) only ever touch what is there; names and indexes are created as needed.
 */
import { RunFault } from './effort.ts';
import type { Path, Step } from './expression.ts';
import { copy, type Draft, type DraftObject, isArray, isObject, type Json, setProperty } from './json.ts';
import { type Found, locate, type Scope } from './path-reading.ts';

/** Gaps before an index are filled with null; more than this is a mistake, not a list. */
const longestGap = 10_000;

/** Holds the output so that `$` can replace it whole. */
export interface Sheet {
  root: Draft;
}

/** False when the path chooses among elements of something that is not there. */
export function write(sheet: Sheet, path: Path, value: Json, scope: Scope): boolean {
  const key = listKey(path);
  if (key !== undefined) {
    const list = (isArray(value) ? value : [value]).map((item) => {
      const element: DraftObject = {};
      setProperty(element, key, copy(item));
      return element;
    });
    return set(sheet, { ...path, steps: path.steps.slice(0, -1) }, list, scope);
  }
  return set(sheet, path, value, scope);
}

/** The key of the list builder `[?(@.key)]`, which only ends a path. */
function listKey({ steps }: Path): string | undefined {
  const last = steps.at(-1);
  if (last?.kind !== 'filter' || last.condition.kind !== 'exists') return undefined;
  const { path } = last.condition;
  const [step] = path.steps;
  return path.root === '@' && path.steps.length === 1 && step?.kind === 'key' ? step.key : undefined;
}

function set(sheet: Sheet, path: Path, value: Json, scope: Scope): boolean {
  const choosing = path.steps.findLastIndex((step) => !isCreatable(step));
  // What follows `..` is looked for, not created everywhere.
  const creating = choosing + (path.steps[choosing]?.kind === 'deep' ? 2 : 1);
  if (creating === 0) {
    sheet.root = placed(sheet.root, path.steps, value);
    return true;
  }
  const chosen = { ...path, steps: path.steps.slice(0, creating), definite: false };
  const rest = path.steps.slice(creating);
  const places = locate(chosen, { ...scope, document: sheet.root });
  for (const place of places?.filter(({ value: found }) => canTake(found, rest[0])) ?? [])
    replace(sheet, place, placed(place.value as Draft, rest, value));
  return places !== undefined;
}

/** What was chosen is written into, never replaced to be written into. */
function canTake(found: Json, step: Step | undefined): boolean {
  return step === undefined || (step.kind === 'index' ? isArray(found) : isObject(found));
}

function isCreatable(step: Step): boolean {
  return step.kind === 'key' || step.kind === 'keys' || (step.kind === 'index' && step.index >= 0);
}

/** `within` with the value at the end of the steps; what is in the way of a step gives way to it. */
function placed(within: Draft, steps: readonly Step[], value: Json): Draft {
  const [step, ...rest] = steps;
  if (step === undefined) return copy(value);
  if (step.kind === 'index') {
    const list = Array.isArray(within) ? within : [];
    if (step.index > list.length + longestGap)
      throw new RunFault(`the index ${step.index} is far beyond the list`);
    while (list.length < step.index) list.push(null);
    list[step.index] = placed(list[step.index] ?? null, rest, value);
    return list;
  }
  const object = isDraftObject(within) ? within : {};
  for (const key of keysOf(step)) {
    setProperty(object, key, placed(Object.hasOwn(object, key) ? (object[key] ?? null) : null, rest, value));
  }
  return object;
}

function isDraftObject(value: Draft): value is DraftObject {
  return isObject(value);
}

function keysOf(step: Step): readonly string[] {
  if (step.kind === 'key') return [step.key];
  return step.kind === 'keys' ? step.keys : [];
}

function replace(sheet: Sheet, { holder, key }: Found, value: Draft): void {
  if (holder === undefined || key === undefined) sheet.root = value;
  // The holder was found in the sheet itself, which is ours to change.
  else if (typeof key === 'number') (holder as Draft[])[key] = value;
  else setProperty(holder as DraftObject, key, value);
}

/** Removes what the path leads to; what is not there is removed already. */
export function remove(sheet: Sheet, path: Path, scope: Scope): void {
  const last = path.steps.at(-1);
  if (last === undefined) {
    sheet.root = {};
    return;
  }
  // Read together, several keys make a new object; removed, each has to be found where it is.
  const ends: readonly Step[] =
    last.kind === 'keys' ? last.keys.map((key) => ({ kind: 'key', key })) : [last];
  for (const end of ends) {
    const places = locate(
      { ...path, steps: [...path.steps.slice(0, -1), end] },
      { ...scope, document: sheet.root },
    );
    // From the back, so that the indexes before stay true.
    for (const { holder, key } of places?.toReversed() ?? []) {
      if (Array.isArray(holder) && typeof key === 'number') holder.splice(key, 1);
      else if (typeof key === 'string') delete (holder as DraftObject)[key];
    }
  }
}

/** False when there is nothing under the old name (facts: transformations 4.3). */
export function rename(sheet: Sheet, path: Path, name: string, scope: Scope): boolean {
  const places = locate(path, { ...scope, document: sheet.root });
  if (places === undefined) return false;
  for (const { holder, key, value } of places) {
    if (holder === undefined || typeof key !== 'string' || key === name) continue;
    delete (holder as DraftObject)[key];
    setProperty(holder as DraftObject, name, value as Draft);
  }
  return true;
}
