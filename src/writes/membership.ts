/**
 * What a body says about the members of a group, and what a reply tells of them: ids, and nothing else leaves this file.
 * In doubt a write adds more and keeps less than it may, so a lost update is rather suspected than overlooked.
 */
import type { OperationKind } from '../scim/operation.ts';

export interface MembershipChange {
  /** All members that the group has from now on, where the write says so. */
  readonly all?: readonly string[];
  /** What it adds; with `all` whatever of these was not there before. */
  readonly named: readonly string[];
}

export interface ToldGroup {
  readonly id: string;
  readonly members: readonly string[];
}

/** Undefined where the write leaves the members alone, or only removes some that it names. */
export function membershipChange(
  kind: OperationKind,
  body: Buffer | undefined,
): MembershipChange | undefined {
  if (!body || (kind !== 'replace' && kind !== 'patch')) return undefined;
  const content: unknown = parse(body);
  if (kind === 'patch') return patchedBy(content);
  // A PUT clears what it does not name (RFC 7644 §3.5.1), so one without members has none.
  const all = membersOf(content).flatMap(idsIn);
  return { all, named: all };
}

/** Whether a PATCH adds, replaces or removes members. */
export function patchesMembers(body: Buffer | undefined): boolean {
  return memberChangesIn(body && parse(body)).length > 0;
}

/** The single group, or those of a list that was short enough to be read for a change. */
export function toldGroups(body: Buffer): readonly ToldGroup[] {
  const content: unknown = parse(body);
  const list = valuesOf(content, 'resources')[0];
  const groups = Array.isArray(list) ? list : [content];
  if (groups.length > mostTold) return [];
  return groups.flatMap((group: unknown) => {
    const [id] = valuesOf(group, 'id');
    return typeof id === 'string' ? [{ id, members: membersOf(group).flatMap(idsIn) }] : [];
  });
}

/** A longer list is a load: nobody reads a hundred groups to change one of them. */
const mostTold = 20;

function patchedBy(content: unknown): MembershipChange | undefined {
  let all: string[] | undefined;
  const named: string[] = [];
  const changes = memberChangesIn(content).filter(({ verb }) => verb === 'add' || verb === 'replace');
  for (const { verb, path, given } of changes) {
    const ids = given.flatMap(idsIn);
    named.push(...ids);
    // With a filter in its path it replaces those that the filter chooses.
    if (verb === 'replace' && !path.includes('[')) all = ids;
    else all?.push(...ids);
  }
  return changes.length > 0 ? { named, ...(all && { all }) } : undefined;
}

interface MemberChange {
  readonly verb: string;
  readonly path: string;
  readonly given: readonly unknown[];
}

/** RFC 7644 §3.5.2; verbs and names without regard to case, as directories write them. */
function memberChangesIn(content: unknown): MemberChange[] {
  return valuesOf(content, 'operations')
    .flat()
    .flatMap((change: unknown) => {
      const path = text(valuesOf(change, 'path')[0]);
      const [value] = valuesOf(change, 'value');
      const given = path === '' ? membersOf(value) : isMembersPath(path) ? [value] : [];
      return given.length > 0 ? [{ verb: text(valuesOf(change, 'op')[0]).toLowerCase(), path, given }] : [];
    });
}

/** `members`, `members[value eq "1"]`, `members.value`, each also behind the URN of the core schema. */
function isMembersPath(path: string): boolean {
  return /^(?:urn:ietf:params:scim:schemas:core:2\.0:Group:)?members(?:$|[[.])/i.test(path);
}

function membersOf(resource: unknown): unknown[] {
  return ['members', 'urn:ietf:params:scim:schemas:core:2.0:group:members'].flatMap((name) =>
    valuesOf(resource, name),
  );
}

function idsIn(members: unknown): string[] {
  return [members].flat().flatMap((member: unknown) => {
    const id = typeof member === 'string' ? member : valuesOf(member, 'value')[0];
    return typeof id === 'string' ? [id] : [];
  });
}

/** Attribute names have no case (RFC 7643 §2.1). */
function valuesOf(value: unknown, name: string): unknown[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    key.toLowerCase() === name ? [inner] : [],
  );
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined; // a write that is no JSON was refused before; a reply that is none tells of no group
  }
}
