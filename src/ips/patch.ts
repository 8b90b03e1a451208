/**
 * PATCH of RFC 7644 §3.5.2 on plain JSON: `applyPatch` returns a changed copy and never touches its input,
 * so a patch whose last operation fails leaves nothing behind.
 */
import { isDeepStrictEqual } from 'node:util';

import { matches, parseFilter, type Filter } from './filter.ts';
import { scimFailure, type BackendFailure } from './refusal.ts';
import {
  attributeOf,
  isObject,
  keyOf,
  parseAttributePath,
  textOf,
  type AttributePath,
  type MutableResource,
  type Resource,
} from './resource.ts';

interface PatchPath extends AttributePath {
  readonly filter?: Filter;
  /** The sub-attribute behind the value filter. */
  readonly below?: string;
}

interface PatchOperation {
  readonly op: 'add' | 'remove' | 'replace';
  readonly path?: PatchPath;
  readonly value?: unknown;
}

const readOnly = new Set(['id', 'meta', 'groups']);
const multiValued = new Set(
  'emails,phonenumbers,ims,photos,addresses,entitlements,roles,x509certificates,members,schemas'.split(','),
);

export function applyPatch(resource: Resource, body: unknown): Resource {
  const operations = isObject(body) ? attributeOf(body, 'Operations') : undefined;
  if (!Array.isArray(operations) || operations.length === 0) throw invalid('The patch has no operations.');
  const changed: MutableResource = structuredClone(resource);
  for (const operation of operations.map(readOperation)) applyOperation(changed, operation);
  return changed;
}

function invalid(detail: string): BackendFailure {
  return scimFailure(400, detail, 'invalidSyntax');
}

function readOperation(raw: unknown): PatchOperation {
  if (!isObject(raw)) throw invalid('An operation is not an object.');
  const op = textOf(raw, 'op')?.toLowerCase(); // consumers write Add, Replace (Microsoft Entra)
  if (op !== 'add' && op !== 'remove' && op !== 'replace') throw invalid('The op is not supported.');
  const path = attributeOf(raw, 'path');
  const value = attributeOf(raw, 'value');
  if (op === 'remove' && (path === undefined || path === ''))
    throw scimFailure(400, 'A remove operation needs a path.', 'noTarget');
  if (op !== 'remove' && value === undefined) throw invalid('The operation has no value.');
  if (path === undefined || path === '') return { op, value };
  if (typeof path !== 'string') throw scimFailure(400, 'The path is not a string.', 'invalidPath');
  return { op, path: parsePatchPath(path), value };
}

function parsePatchPath(text: string): PatchPath {
  const match = /^([^[\]]+)(?:\[(.*)\](?:\.([$\w-]+))?)?$/s.exec(text.trim());
  if (!match?.[1]) throw scimFailure(400, 'The path cannot be understood.', 'invalidPath');
  const [, attribute, filter, below] = match;
  const path = parseAttributePath(attribute);
  if (filter === undefined) return path;
  return { ...path, filter: parseFilter(filter), ...(below !== undefined && { below }) };
}

function applyOperation(resource: MutableResource, { op, path, value }: PatchOperation): void {
  if (!path) {
    if (!isObject(value)) throw invalid('Without a path the value must be an object.');
    for (const [name, part] of Object.entries(value))
      // What a caller read and sends back with its changes is not an attempt to change it.
      if (!readOnly.has(name.toLowerCase()))
        applyOperation(resource, { op, path: parseAttributePath(name), value: part });
    return;
  }
  // A name that every object has already would lead out of the resource.
  if ([path.urn, ...path.names, path.below].includes('__proto__'))
    throw scimFailure(400, 'The path names no attribute.', 'invalidPath');
  if (path.urn === undefined && readOnly.has(path.names[0]?.toLowerCase() ?? ''))
    throw scimFailure(400, 'The attribute is read-only.', 'mutability');
  const holder = holderOf(resource, path, op);
  if (!holder) return;
  const key = keyOf(holder, path.names.at(-1) ?? '');
  if (path.filter) changeElements(holder, key, path.filter, { op, path, value });
  else if (op === 'remove') removeValue(holder, key, value);
  else if (op === 'add') addValue(holder, key, value);
  else holder[key] = arrayWhereDue(key, value);
}

/** The object that holds the last name of the path; made on the way, except for a remove. */
function holderOf(
  resource: MutableResource,
  { urn, names }: PatchPath,
  op: string,
): MutableResource | undefined {
  let holder = resource;
  for (const name of [...(urn === undefined ? [] : [urn]), ...names.slice(0, -1)]) {
    const key = keyOf(holder, name);
    const next = holder[key];
    if (isObject(next)) {
      holder = next;
      continue;
    }
    if (Array.isArray(next)) throw scimFailure(400, 'The path needs a value filter.', 'invalidPath');
    if (op === 'remove') return undefined;
    const made: MutableResource = {};
    holder[key] = made;
    holder = made;
  }
  return holder;
}

function arrayWhereDue(key: string, value: unknown): unknown {
  return multiValued.has(key.toLowerCase()) && !Array.isArray(value) ? [value] : value;
}

function addValue(holder: MutableResource, key: string, value: unknown): void {
  const present = holder[key];
  if (Array.isArray(present) || multiValued.has(key.toLowerCase())) {
    const before: readonly unknown[] = Array.isArray(present) ? present : [];
    holder[key] = addElements(before, [value].flat());
  } else if (isObject(present) && isObject(value)) holder[key] = { ...present, ...value };
  else holder[key] = value;
}

/** RFC 7644 §3.5.2.1: a value that is already there is not added again, and one primary is enough. */
function addElements(before: readonly unknown[], added: readonly unknown[]): unknown[] {
  const known = new Set(before.map(identity).filter((value) => value !== undefined));
  const fresh = added.filter((element) => {
    const value = identity(element);
    return value === undefined ? !before.some((old) => isDeepStrictEqual(old, element)) : !known.has(value);
  });
  const takesPrimary = fresh.some((element) => isObject(element) && element['primary'] === true);
  const kept = takesPrimary
    ? before.map((element) =>
        isObject(element) && element['primary'] === true ? { ...element, primary: false } : element,
      )
    : before;
  return [...kept, ...fresh];
}

/** Members and groups are the same when their value is; other elements only when all of them is. */
function identity(element: unknown): unknown {
  return isObject(element) && Object.keys(element).every((key) => memberKeys.has(key))
    ? element['value']
    : undefined;
}
const memberKeys = new Set(['value', 'display', '$ref', 'type']);

function removeValue(holder: MutableResource, key: string, value: unknown): void {
  const present = holder[key];
  // Not in the RFC, but sent by Microsoft Entra: the elements to remove are named in `value`.
  if (Array.isArray(present) && value !== undefined && value !== null) {
    const named = new Set([value].flat().map((element) => (isObject(element) ? element['value'] : element)));
    setOrDelete(
      holder,
      key,
      present.filter((element) => !named.has(isObject(element) ? element['value'] : element)),
    );
  } else delete holder[key];
}

function changeElements(
  holder: MutableResource,
  key: string,
  filter: Filter,
  { op, path, value }: PatchOperation,
): void {
  const present = holder[key];
  const elements: readonly unknown[] = Array.isArray(present) ? present : [];
  const chosen = (element: unknown): element is Resource => isObject(element) && matches(filter, element);
  if (op !== 'remove' && !elements.some(chosen))
    throw scimFailure(400, 'No value matches the path.', 'noTarget'); // RFC 7644 §3.5.2.3
  const below = path?.below;
  if (op === 'remove' && below === undefined) {
    setOrDelete(
      holder,
      key,
      elements.filter((element) => !chosen(element)),
    );
    return;
  }
  holder[key] = elements.map((element) =>
    chosen(element) ? changeElement(element, op, below, value) : element,
  );
}

function changeElement(element: Resource, op: string, below: string | undefined, value: unknown): Resource {
  if (below === undefined) {
    if (!isObject(value)) throw invalid('The value must be an object.');
    return op === 'add' ? { ...element, ...value } : value;
  }
  const copy: MutableResource = { ...element };
  if (op === 'remove') delete copy[keyOf(copy, below)];
  else copy[keyOf(copy, below)] = value;
  return copy;
}

/** RFC 7644 §3.5.2.2: an attribute without values is unassigned. */
function setOrDelete(holder: MutableResource, key: string, elements: readonly unknown[]): void {
  if (elements.length > 0) holder[key] = elements;
  else delete holder[key];
}
