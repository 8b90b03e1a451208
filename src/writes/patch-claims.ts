/**
 * Whether a resource shows that a PATCH was carried out. Only plain changes of plain paths can be told from the result; of
 * every other patch nothing is said.
 */
import { agreementOf, attribute, isAttributes, isUnassigned } from './agreement.ts';

export interface Claim {
  readonly op: 'add' | 'replace' | 'remove';
  /** Attribute names from the outside in; an extension's schema is one of them. */
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Every change that was asked for is there, as far as that can be seen. */
export function showsPatch(claims: readonly Claim[], found: unknown): boolean {
  return claims.every((claim) => isShown(claim, valueAt(found, claim.path)));
}

/** What a resource would have to show; undefined where none could. */
export function claimsOf(patch: unknown): readonly Claim[] | undefined {
  const operations = attribute(patch, 'operations');
  if (!Array.isArray(operations) || operations.length === 0) return undefined;
  const claims = operations.map(claimsOfOne);
  if (!claims.every((each) => each !== undefined)) return undefined;
  const all = claims.flat();
  return areIndependent(all) ? all : undefined;
}

/** Undefined where the result would not show it. */
function claimsOfOne(operation: unknown): Claim[] | undefined {
  const op = String(attribute(operation, 'op')).toLowerCase();
  if (op !== 'add' && op !== 'replace' && op !== 'remove') return undefined;
  const [path, value] = [attribute(operation, 'path'), attribute(operation, 'value')];
  if (typeof path === 'string') {
    if (op === 'remove') return removal(path, value);
    const names = namesOf(path);
    return names && [{ op, path: names, value }];
  }
  if (op === 'remove' || path !== undefined || !isAttributes(value)) return undefined;
  const claims = Object.entries(value).map(([name, inner]): Claim | undefined => {
    const names = isExtension(name) ? [name] : namesOf(name);
    return names && { op, path: names, value: inner };
  });
  return claims.every((claim) => claim !== undefined) ? claims : undefined;
}

/** `members[value eq "7"]` and the `value` that some callers send besides `members` (facts: IPS 6.4) mean elements. */
function removal(path: string, value: unknown): Claim[] | undefined {
  const [, list = path, quoted] = /^([^[]+)\[value eq ("(?:[^"\\]|\\.)*")\]$/i.exec(path) ?? [];
  const names = namesOf(list);
  if (!names) return undefined;
  const element = quoted === undefined ? value : readQuoted(quoted);
  return [{ op: 'remove', path: names, value: element }];
}

function readQuoted(quoted: string): unknown {
  try {
    return [{ value: JSON.parse(quoted) }];
  } catch {
    return [{}]; // no JSON string (RFC 7644 §3.4.2.2): an element without a value is never shown to be gone
  }
}

const plainPath = /^[A-Za-z][\w-]*(?:\.[A-Za-z$][\w-]*)?$/;
const secret = /^password$/i;

/** Undefined for a path with a filter, and for what nobody can read. */
function namesOf(path: string): string[] | undefined {
  const at = isExtension(path) ? path.lastIndexOf(':') : -1;
  const inner = path.slice(at + 1);
  if (!plainPath.test(inner) || secret.test(inner)) return undefined;
  const schema = path.slice(0, Math.max(at, 0));
  return [...(schema === '' || isCore(schema) ? [] : [schema]), ...inner.split('.')];
}

function isExtension(name: string): boolean {
  return /^urn:/i.test(name);
}

function isCore(schema: string): boolean {
  return /^urn:ietf:params:scim:schemas:core:/i.test(schema);
}

/** What one change does another must not undo. */
function areIndependent(claims: readonly Claim[]): boolean {
  const byRoot = Map.groupBy(claims, ({ path }) => path[0]?.toLowerCase());
  return [...byRoot.values()].every((those) => {
    if (those.length === 1) return true;
    const isOf = (op: Claim['op']): boolean => those.every((claim) => claim.op === op);
    const paths = new Set(those.map(({ path }) => path.join('.').toLowerCase()));
    return isOf('add') || isOf('remove') || (isOf('replace') && paths.size === those.length);
  });
}

function valueAt(found: unknown, path: readonly string[]): unknown {
  return path.reduce(attribute, found);
}

function isShown({ op, value }: Claim, found: unknown): boolean {
  if (op === 'remove') return isGone(value, found);
  if (isUnassigned(value)) return op === 'replace' && isUnassigned(found);
  // RFC 7644 §3.5.2.1: an element is added to a list, be it sent in one or not.
  const isAdded = op === 'add' && Array.isArray(found);
  const sent = isAdded && !Array.isArray(value) ? [value] : value;
  const kept = isAdded && Array.isArray(sent) ? among(sent, found) : found;
  const { differs, lacks } = agreementOf(sent, kept, { exact: true });
  return !differs && !lacks;
}

/** The elements that have the value of one that was sent. */
function among(sent: readonly unknown[], found: readonly unknown[]): unknown[] {
  const values = new Set(sent.map(valueOf));
  return found.filter((element) => values.has(valueOf(element)));
}

function isGone(value: unknown, found: unknown): boolean {
  if (isUnassigned(value)) return isUnassigned(found);
  const gone = Array.isArray(value) ? value.map(valueOf) : [valueOf(value)];
  if (gone.includes(undefined)) return false;
  return isUnassigned(found) || (Array.isArray(found) && !found.some((each) => gone.includes(valueOf(each))));
}

function valueOf(element: unknown): unknown {
  const value = isAttributes(element) ? attribute(element, 'value') : element;
  return typeof value === 'string' ? value.toLowerCase() : value;
}
