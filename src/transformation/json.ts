/**
 * The values a transformation moves about: JSON, bytes (what `decode` yields) and MISSING.
 * MISSING is not null: a JSON null that is there counts as present (facts: transformations 3).
 */

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** The same, while it is being built. */
export type Draft = null | boolean | number | string | Draft[] | DraftObject;
export interface DraftObject {
  [key: string]: Draft;
}

export const MISSING: unique symbol = Symbol('missing');
export type Missing = typeof MISSING;

/** What flows through a mapping's functions. */
export type Value = Json | Uint8Array;

/** Jackson, which reads the documents at SAP, stops at this depth too; below it recursion is safe. */
export const deepest = 1000;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isBytes(value);
}

export function isArray(value: unknown): value is readonly Json[] {
  return Array.isArray(value);
}

export function isBytes(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array;
}

/** Own properties only, so that a key such as `constructor` is as absent as any other. */
export function property(value: JsonObject, key: string): Json | Missing {
  return Object.hasOwn(value, key) ? (value[key] ?? null) : MISSING;
}

/** Sets a key as data, even one that JavaScript gives a meaning (`__proto__`). */
export function setProperty(target: DraftObject, key: string, value: Draft): void {
  Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
}

/** How many values a document has; undefined when it is nested too deeply. */
export function sizeOf(value: unknown): number | undefined {
  let size = 0;
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepest) return undefined;
    size += level.length;
    level = level.flatMap((node) => (typeof node === 'object' && node !== null ? Object.values(node) : []));
  }
  return size;
}

export function copy(value: Json): Draft {
  if (isArray(value)) return value.map(copy);
  if (!isObject(value)) return value;
  const made: DraftObject = {};
  for (const [key, member] of Object.entries(value)) setProperty(made, key, copy(member));
  return made;
}

export function equal(left: Json, right: Json): boolean {
  if (isArray(left)) {
    return (
      isArray(right) &&
      left.length === right.length &&
      left.every((item, at) => equal(item, right[at] ?? null))
    );
  }
  if (!isObject(left)) return left === right;
  if (!isObject(right)) return false;
  const keys = Object.keys(left);
  return (
    keys.length === Object.keys(right).length &&
    keys.every((key) => Object.hasOwn(right, key) && equal(left[key] ?? null, right[key] ?? null))
  );
}

/** As JSON: bytes that reach an output, alone or inside of it, become base64, as Jackson writes them. */
export function presentable(value: Value): Json {
  if (isBytes(value)) return value.toBase64();
  if (!holdsBytes(value)) return value;
  if (isArray(value)) return value.map(presentable);
  if (!isObject(value)) return value;
  const made: DraftObject = {};
  for (const [key, member] of Object.entries(value)) setProperty(made, key, copy(presentable(member)));
  return made;
}

function holdsBytes(value: unknown): boolean {
  if (isBytes(value)) return true;
  if (isArray(value)) return value.some(holdsBytes);
  return isObject(value) && Object.values(value).some(holdsBytes);
}

/** The text of a value where text is wanted: bytes are UTF-8, structures their JSON. */
export function textOf(value: Value): string {
  if (typeof value === 'string') return value;
  if (isBytes(value)) return new TextDecoder().decode(value);
  return JSON.stringify(value);
}
