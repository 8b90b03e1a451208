/**
 * Attributes that a caller's grants keep from it: in what it asks for, in what it writes and in what it is told. Names are
 * found wherever a lenient reader could find one; in doubt a request is refused.
 */
import type { Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import { digitsOf, readExactly, writeExactly } from '../scim/exact-json.ts';
import type { Operation } from '../scim/operation.ts';
import { Query, type Parameter } from '../scim/target.ts';
import { deniedAttributes, type Caller } from './caller.ts';

type Names = ReadonlySet<string>;

/** Whoever may filter by it can guess it letter by letter (RFC 7644 §7.5.2), so it is never asked for by anybody. */
const password = 'password';

/** The operation without denied names in `attributes`. Throws `sensitive` for a filter or an order by one. */
export function restrictQuery(caller: Caller, operation: Operation): Operation {
  const { api, query } = operation;
  if (api !== 'proxy' || query.canonical === '') return operation;
  const denied = deniedTo(caller, operation).union(new Set([password]));
  const parameters = query.canonical.split('&').map(readParameter);
  const allowed = parameters.map((parameter) => restrictParameter(parameter, denied));
  const isSame = allowed.every((parameter, at) => parameter === parameters[at]);
  return isSame ? operation : { ...operation, query: new Query(allowed) };
}

function readParameter(encoded: string): Parameter {
  const at = encoded.indexOf('=');
  const decode = (text: string): string => decodeURIComponent(text.replaceAll('+', ' '));
  return { name: decode(encoded.slice(0, at)), value: decode(encoded.slice(at + 1)), encoded };
}

function restrictParameter(parameter: Parameter, denied: Names): Parameter {
  const { name, value } = parameter;
  const folded = fold(name);
  if ((folded === 'filter' || folded === 'sortby') && mentions(value, denied)) throw sensitive();
  if (folded !== 'attributes' || !mentions(value, denied)) return parameter;
  const kept = value.split(',').filter((path) => !mentions(path, denied));
  // An empty list would mean all attributes; `id` is what every reply has (RFC 7643 §3.1).
  const list = kept.length > 0 ? kept : ['id'];
  const encoded = `${encodeURIComponent(name)}=${list.map(encodeURIComponent).join(',')}`;
  return { name, value: list.join(','), encoded };
}

/** Throws `forbidden-attribute` where the body writes a denied attribute, `sensitive` where a search asks by one. */
export function checkBody(caller: Caller, operation: Operation, body: Buffer): void {
  if (operation.api !== 'proxy' || body.length === 0) return;
  if (operation.kind === 'search') return checkSearch(parse(body), deniedTo(caller, operation));
  const parts = operation.kind === 'bulk' ? operation.parts : [operation];
  const denied = parts.map((part) => deniedTo(caller, part));
  if (denied.every(({ size }) => size === 0)) return;
  const items = operation.kind === 'bulk' ? members(parse(body), 'operations').flat() : [parse(body)];
  for (const [at, part] of parts.entries()) {
    const data = operation.kind === 'bulk' ? members(items[at], 'data') : [items[at]];
    for (const value of data) checkWritten(part, value, denied[at] ?? new Set());
  }
}

function checkSearch(value: unknown, denied: Names): void {
  const asked = [...members(value, 'filter'), ...members(value, 'sortby')];
  const names = denied.union(new Set([password]));
  if (asked.some((text) => typeof text === 'string' && mentions(text, names))) throw sensitive();
}

function checkWritten({ kind }: Operation, value: unknown, denied: Names): void {
  if (denied.size === 0) return;
  if (kind === 'patch') return checkPatch(value, denied);
  checkResource(value, denied);
  // What a PUT does not name is cleared (RFC 7644 §3.5.1), but for a password, which nobody can read.
  if (kind === 'replace' && denied.difference(new Set([password])).size > 0) throw forbidden();
}

function checkPatch(value: unknown, denied: Names): void {
  for (const change of members(value, 'operations').flat()) {
    const paths = members(change, 'path').filter((path) => typeof path === 'string');
    if (paths.some((path) => mentions(path, denied))) throw forbidden();
    // Behind the path of an attribute stand its parts; without one, or behind an extension, attributes.
    if (paths.every((path) => path === '' || isExtension(path)))
      for (const resource of members(change, 'value').flat()) checkResource(resource, denied);
  }
}

function checkResource(value: unknown, denied: Names): void {
  for (const [name, inner] of entries(value)) {
    if (mentions(name, denied)) throw forbidden();
    if (isExtension(name)) checkResource(inner, denied);
  }
}

/** The reply, which is a JSON object, without the attributes that the caller is not told. */
export function withoutDenied(caller: Caller, operation: Operation, reply: Reply): Reply {
  // Schemas and the like describe attributes and hold none.
  if (operation.kind === 'discover' || reply.status >= 300 || reply.body.length === 0) return reply;
  const asked = operation.kind === 'bulk' ? operation.parts : [operation];
  const denied = asked.reduce<Names>((all, part) => all.union(deniedTo(caller, part)), new Set());
  if (denied.size === 0) return reply;
  return { ...reply, body: writeExactly(prune(readExactly(reply.body), denied)) };
}

/** A resource, a list of them (RFC 7644 §3.4.2) or the answers of a bulk request (§3.7). */
function prune(value: unknown, denied: Names): unknown {
  if (Array.isArray(value)) return value.map((item) => prune(item, denied));
  if (typeof value !== 'object' || value === null || digitsOf(value) !== undefined) return value;
  const kept = Object.entries(value).filter(([name]) => !mentions(name, denied));
  return Object.fromEntries(
    kept.map(([name, inner]) => [name, holdsResources(name) ? prune(inner, denied) : inner]),
  );
}

function holdsResources(name: string): boolean {
  return isExtension(name) || ['resources', 'operations', 'response'].includes(fold(name));
}

function deniedTo(caller: Caller, { system, resourceType, effect }: Operation): Names {
  return deniedAttributes(caller, system, resourceType, effect);
}

/**
 * Whether the text of a path, a filter or a name has a denied name in it. What stands in quotes is a value, unless
 * readers could differ on where it ends: an escape, or another kind of quote.
 */
function mentions(text: string, denied: Names): boolean {
  const bare = /[\\']/.test(text) ? text : text.replaceAll(/"[^"]*"/g, ' ');
  return (fold(bare).match(/[\w$-]+/g) ?? []).some((name) => denied.has(name));
}

/** As readers fold who compare in upper case or in lower case: `ſ` is an `s` to some of them. */
export function fold(text: string): string {
  return text.toUpperCase().toLowerCase();
}

function isExtension(name: string): boolean {
  return fold(name).startsWith('urn:');
}

function members(value: unknown, name: string): unknown[] {
  return entries(value).flatMap(([key, inner]) => (fold(key) === name ? [inner] : []));
}

function entries(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

/** checkJson has accepted it before. */
function parse(body: Buffer): unknown {
  return JSON.parse(body.toString('utf8'));
}

function sensitive(): ScimError {
  return new ScimError('sensitive', 'The technical user may not filter or sort by one of these attributes.');
}

function forbidden(): ScimError {
  return new ScimError('forbidden-attribute', 'The technical user may not write one of these attributes.');
}
