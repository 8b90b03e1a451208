/**
 * Lays `GATEHOUSE_…` variables over a configuration document: two underscores descend one level, and names are
 * compared without case and punctuation, because a shell's variables have neither. A variable never invents a
 * key or an entry; what it does not find is a fault.
 */
import { parse } from 'yaml';

import type { Fault } from './config-faults.ts';
import {
  alternativesOf,
  configJsonSchema,
  entryOf,
  isSchema,
  propertiesOf,
  type JsonSchema,
} from './config-json-schema.ts';

const prefix = 'GATEHOUSE_';
type Document = Record<string, unknown>;

export function overlay(document: unknown, env: NodeJS.ProcessEnv) {
  const changed = structuredClone(document);
  const faults: Fault[] = [];
  const others = new Set([`${prefix}CONFIG`, ...referencedNames(document), ...referencedByOverlay(env)]);
  for (const [variable, value = ''] of Object.entries(env)) {
    if (!variable.startsWith(prefix) || others.has(variable)) continue;
    const names = variable.slice(prefix.length).split('__');
    const problem = isMap(changed)
      ? set(changed, [configJsonSchema()], names, value)
      : 'the file holds no keys';
    if (problem) faults.push({ path: variable, problem, remedy: remedyFor(variable) });
  }
  return { document: changed, faults };
}

/** Walks down one level per name and sets the value; gives the problem if there is one. */
function set(
  parent: Document,
  schemas: readonly JsonSchema[],
  [name = '', ...below]: readonly string[],
  text: string,
): string | undefined {
  const found = findKey(parent, schemas, name);
  if (typeof found === 'string') return found;
  const { key, schemas: inner } = found;
  if (below.length === 0) {
    const value = readValue(text, inner);
    if (value === undefined) return 'its value is not valid YAML';
    parent[key] = value;
    return undefined;
  }
  const existing = parent[key];
  const child: Document = isMap(existing) ? existing : {};
  const problem = set(child, inner, below, text);
  if (problem) return problem;
  parent[key] = inner.length > 1 ? withoutRivals(child, inner, below[0] ?? '') : child;
  return undefined;
}

interface FoundKey {
  readonly key: string;
  readonly schemas: readonly JsonSchema[];
}

function findKey(parent: Document, schemas: readonly JsonSchema[], name: string): FoundKey | string {
  const entry = schemas.map(entryOf).find(isSchema);
  const candidates = new Set(entry ? Object.keys(parent) : schemas.flatMap(keysOf));
  const [key, second] = [...candidates].filter((candidate) => isSame(candidate, name));
  if (second !== undefined) return `${name} means both ${key} and ${second}`;
  if (key === undefined) return `${name} is neither a key nor an entry of the configuration`;
  const fixed = schemas.flatMap(propertiesOf).filter(([property]) => property === key);
  const inner = entry ? [entry] : fixed.map(([, schema]) => schema);
  return { key, schemas: inner.flatMap(alternativesOf) };
}

/** `{ file }` of a variable replaces the `{ env }` of the file: keys go that stand in no alternative with the new one. */
function withoutRivals(child: Document, schemas: readonly JsonSchema[], name: string): Document {
  const fitting = schemas.map(keysOf).filter((keys) => keys.some((key) => isSame(key, name)));
  const allowed = new Set(fitting.flat());
  return Object.fromEntries(Object.entries(child).filter(([key]) => allowed.has(key)));
}

function keysOf(schema: JsonSchema): string[] {
  return propertiesOf(schema).map(([key]) => key);
}

/** Text stays text where the key wants text; numbers, booleans and lists are read as YAML. */
function readValue(text: string, schemas: readonly JsonSchema[]): unknown {
  if (schemas.every(({ type }) => type === 'string')) return text;
  try {
    return parse(text);
  } catch {
    // The parser's message quotes the value, which may be confidential; the caller words the fault.
    return undefined;
  }
}

function isSame(key: string, name: string): boolean {
  const [left, right] = [key, name].map((text) => text.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase());
  return left === right;
}

function isMap(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Variables that `{ env: NAME }` refers to may begin with our prefix without being keys. */
function referencedNames(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    key === 'env' && typeof inner === 'string' ? [inner] : referencedNames(inner),
  );
}

function referencedByOverlay(env: NodeJS.ProcessEnv): string[] {
  return Object.entries(env).flatMap(([variable, value = '']) =>
    variable.startsWith(prefix) && variable.endsWith('__ENV') ? [value] : [],
  );
}

function remedyFor(variable: string): string {
  // Kubernetes sets GATEHOUSE_PORT, GATEHOUSE_SERVICE_HOST … in every pod beside a Service called gatehouse.
  if (/^GATEHOUSE_(SERVICE_|PORT)/.test(variable))
    return 'unset it; in Kubernetes, enableServiceLinks: false';
  return 'unset it or correct its spelling, such as GATEHOUSE_TENANTS__ACME__PACE__PER_MINUTE; see docs/configuration.md';
}
