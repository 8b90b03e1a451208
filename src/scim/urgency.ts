/**
 * How urgent a write is, once its body is known: who is switched off must not wait behind a load, whether by DELETE or by
 * `active: false`. It decides the order alone, so a body that is understood in no way is simply not urgent.
 */
import { priorities, type Operation, type Priority } from './operation.ts';

/** No change of one user is longer; a group of thousands is not searched. */
const maxBytes = 64 * 1024;

export function urgencyOf({ kind, priority }: Operation, body: Buffer | undefined): Priority {
  if (!body || body.length > maxBytes || (kind !== 'patch' && kind !== 'replace')) return priority;
  return switchesOff(kind, parse(body)) ? priorities.delete : priority;
}

function switchesOff(kind: 'patch' | 'replace', content: unknown): boolean {
  if (kind === 'replace') return isOff(attribute(content, 'active'));
  const said = [attribute(content, 'operations')].flat().flatMap(activeIn);
  return isOff(said.at(-1));
}

/** What one operation of a PATCH (RFC 7644 §3.5.2) says of `active`; nothing, when it says nothing. */
function activeIn(operation: unknown): unknown[] {
  const op = String(attribute(operation, 'op')).toLowerCase();
  if (op !== 'add' && op !== 'replace') return [];
  const path = attribute(operation, 'path');
  const value = attribute(operation, 'value');
  if (typeof path === 'string') return /^(?:urn:[\w:.-]+:user:)?active$/i.test(path) ? [value] : [];
  const inner = attribute(value, 'active');
  return inner === undefined ? [] : [inner];
}

/** Some identity managers write "False" (facts: callers' dialects). */
function isOff(value: unknown): boolean {
  return value === false || (typeof value === 'string' && value.toLowerCase() === 'false');
}

/** Attribute names have no case (RFC 7643 §2.1). */
function attribute(object: unknown, name: string): unknown {
  if (typeof object !== 'object' || object === null || Array.isArray(object)) return undefined;
  return Object.entries(object).find(([key]) => key.toLowerCase() === name)?.[1];
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined; // what is no JSON was refused before, or is the tenant's to judge
  }
}
