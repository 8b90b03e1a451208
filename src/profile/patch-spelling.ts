/**
 * PATCH requests as callers spell them, written as RFC 7644 §3.5.2 has them. What is not one of the known spellings stays
 * as it is, and a body in which nothing is repaired stays the bytes that came.
 */
import { digitsOf, readExactly, writeExactly } from '../scim/exact-json.ts';
import { schemas } from '../scim/message.ts';

export interface PatchRepairs {
  readonly spelling: boolean;
  /** A member's id in its true case; absent where ids are left alone. */
  readonly trueMember?: ((id: string) => string) | undefined;
}

export interface RepairedPatch {
  readonly body: Buffer;
  readonly spelling: boolean;
  readonly ids: boolean;
}

type Members = Readonly<Record<string, unknown>>;

/** @param body JSON in which no name stands twice, whatever its case */
export function repairPatch(body: Buffer, { spelling, trueMember }: PatchRepairs): RepairedPatch {
  const came = readExactly(body);
  const spelt = spelling ? spellPatch(came) : came;
  const meant = trueMember ? withTrueIds(spelt, trueMember) : spelt;
  const isSame = meant === came;
  return {
    body: isSame ? body : writeExactly(meant),
    spelling: spelt !== came,
    ids: meant !== spelt,
  };
}

/** The ids that a patch of a group names as members. */
export function membersIn(body: Buffer): readonly string[] {
  const found = new Set<string>();
  withTrueIds(readExactly(body), (id) => {
    found.add(id);
    return id;
  });
  return [...found];
}

function spellPatch(value: unknown): unknown {
  if (!isMembers(value)) return value;
  const patch = withNames(value, ['schemas', 'Operations']);
  const operations = patch['Operations'];
  if (!Array.isArray(operations)) return patch;
  const spelt = operations.flatMap(spellOperation);
  return isSameList(operations, spelt) ? patch : { ...patch, Operations: spelt };
}

/** One operation becomes several where it names several members to remove. */
function spellOperation(value: unknown): unknown[] {
  if (!isMembers(value)) return [value];
  const named = withNames(value, ['op', 'path', 'value']);
  const op = lowerOp(named['op']);
  const path = typeof named['path'] === 'string' ? spellPath(named['path']) : named['path'];
  const listed = op === 'remove' ? undefined : listOf(path, named['value']);
  const spelt = changed(named, { op, path, ...(listed && { value: listed }) });
  return op === 'remove' ? removals(spelt) : [spelt];
}

function lowerOp(op: unknown): unknown {
  const lower = typeof op === 'string' ? op.toLowerCase() : op;
  return lower === 'add' || lower === 'remove' || lower === 'replace' ? lower : op;
}

const corePrefix = new RegExp(
  `^(?:${RegExp.escape(schemas.user)}|${RegExp.escape(schemas.group)}):(?=.)`,
  'i',
);
/** `members[value eq 'x']`, as some write it; a text with quotes or escapes in it could be read in two ways. */
const quoted = /^([\w.-]+)\[\s*([\w.$-]+)\s+eq\s+(?:'([^'"\\]*)'|"([^'"\\]*)")\s*\]/i;

/** RFC 7644 §3.10: what belongs to the core schema needs no URN. */
function spellPath(path: string): string {
  const short = path.replace(corePrefix, '');
  const match = quoted.exec(short);
  if (!match) return short;
  const [chosen, attribute, part, single, double] = match;
  return `${attribute}[${part} eq "${single ?? double}"]${short.slice(chosen.length)}`;
}

/** Of RFC 7643 §4: attributes that have several values. */
const several = new Set(
  'emails,phonenumbers,ims,photos,addresses,entitlements,roles,x509certificates,members'.split(','),
);

function listOf(path: unknown, value: unknown): unknown[] | undefined {
  const isSeveral = typeof path === 'string' && several.has(path.toLowerCase());
  return isSeveral && isMembers(value) ? [value] : undefined;
}

/**
 * A `remove` of `members` with a value means the members in it, but by the RFC it would remove them all (§3.5.2.2).
 * Without a member in it nobody knows what is meant, so it stays.
 */
function removals(operation: Members): unknown[] {
  const { path, value, ...others } = operation;
  if (typeof path !== 'string' || path.toLowerCase() !== 'members' || value === undefined) return [operation];
  const ids = [value].flat().map((member) => (isMembers(member) ? memberId(member) : member));
  if (ids.length === 0 || !ids.every((id) => typeof id === 'string' && id !== '')) return [operation];
  return ids.map((id) => ({ ...others, path: `${path}[value eq ${JSON.stringify(id)}]` }));
}

function memberId(member: Members): unknown {
  return Object.entries(member).find(([name]) => name.toLowerCase() === 'value')?.[1];
}

/** The members that a patch of a group names, in values and in paths. */
function withTrueIds(value: unknown, trueMember: (id: string) => string): unknown {
  if (!isMembers(value)) return value;
  const name = Object.keys(value).find((key) => key.toLowerCase() === 'operations') ?? '';
  const operations = value[name];
  if (!Array.isArray(operations)) return value;
  const meant = operations.map((operation) => withTrueMembers(operation, trueMember));
  return isSameList(operations, meant) ? value : { ...value, [name]: meant };
}

const memberPath = /^(members\[\s*value\s+eq\s+")([^"\\]+)("\s*\].*)$/i;

function withTrueMembers(operation: unknown, trueMember: (id: string) => string): unknown {
  if (!isMembers(operation)) return operation;
  const entries = Object.entries(operation);
  const path = entries.find(([name]) => name.toLowerCase() === 'path')?.[1];
  if (typeof path !== 'string' || !/^members\b/i.test(path)) return operation;
  const meant = entries.map(([name, value]): [string, unknown] => {
    const key = name.toLowerCase();
    if (key === 'path')
      return [name, path.replace(memberPath, (_, open, id, close) => open + trueMember(id) + close)];
    return [name, key === 'value' ? withTrueValues(value, trueMember) : value];
  });
  return changed(operation, Object.fromEntries(meant));
}

function withTrueValues(value: unknown, trueMember: (id: string) => string): unknown {
  if (Array.isArray(value)) {
    const meant = value.map((member) => withTrueValues(member, trueMember));
    return isSameList(value, meant) ? value : meant;
  }
  if (!isMembers(value)) return typeof value === 'string' ? trueMember(value) : value;
  const name = Object.keys(value).find((key) => key.toLowerCase() === 'value') ?? '';
  const id = value[name];
  return typeof id === 'string' ? changed(value, { [name]: trueMember(id) }) : value;
}

/** With the names of members as the RFC writes them; others stay. */
function withNames(value: Members, names: readonly string[]): Members {
  const entries = Object.entries(value).map(([name, inner]): [string, unknown] => [
    names.find((known) => known.toLowerCase() === name.toLowerCase()) ?? name,
    inner,
  ]);
  return entries.every(([name]) => Object.hasOwn(value, name)) ? value : Object.fromEntries(entries);
}

/** The value itself when nothing differs. A member that is not there is not added. */
function changed(value: Members, to: Members): Members {
  const differing = Object.entries(to).filter(([name, inner]) => inner !== value[name]);
  return differing.length === 0 ? value : { ...value, ...Object.fromEntries(differing) };
}

function isSameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((value, at) => value === other[at]);
}

function isMembers(value: unknown): value is Members {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject && digitsOf(value) === undefined;
}
