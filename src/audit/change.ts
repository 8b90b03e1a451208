/**
 * What a write means, read from its body: which attributes, which members, enabled or disabled, a password or none.
 * Values never leave this file but for `active` and the identifiers, which become pseudonyms and sealed text. Everything is
 * counted, only so much is kept, and nothing recurses, so a body costs one pass whatever it holds.
 */
import type { Operation } from '../scim/operation.ts';
import { readPath, valuesIn, type AttributePath } from './attribute-path.ts';
import { fold, hasParts, isCore, knownName } from './scim-names.ts';

/** Identifiers beyond this many are only counted. */
const maxKept = 1000;
const maxPaths = 100;

export interface Named {
  readonly count: number;
  /** In clear; at most 1000 of them. */
  readonly ids: readonly string[];
}

export interface Change {
  readonly paths: readonly string[];
  readonly active?: boolean;
  /** That one was set; nothing of it. */
  readonly password?: true;
  readonly userName?: string;
  readonly added?: Named;
  readonly removed?: Named;
  /** The members that a group has from now on. */
  readonly set?: Named;
  /** All were removed, or a filter chose them: how many only the tenant knows. */
  readonly removedUnnamed?: 'all' | 'by filter';
  /** How many different members a group can have left where they were set or removed unnamed, in the order of the changes. */
  readonly left?: number;
}

/** One change for each part of a bulk request, else one; none where a body is not SCIM's. */
export function changesOf({ api, kind, effect, parts }: Operation, body: Uint8Array): readonly Change[] {
  if (api !== 'proxy' || effect !== 'write' || body.length === 0) return [];
  const content = parse(body);
  if (kind !== 'bulk') return [changeOf(kind, content)];
  const items = membersOf(content, 'operations').flat();
  return parts.map((part, at) => changeOf(part.kind, membersOf(items[at], 'data')[0]));
}

function changeOf(kind: Operation['kind'], content: unknown): Change {
  const draft = new ChangeDraft();
  if (kind === 'patch') readPatch(draft, content);
  else if (kind === 'create' || kind === 'replace')
    readResource(draft, kind === 'create' ? 'add' : 'replace', content);
  return draft.finish();
}

type Verb = 'add' | 'remove' | 'replace' | 'unknown';

/** RFC 7644 §3.5.2; `Add` and `Replace` come from directories that do not mind the case. */
function readPatch(draft: ChangeDraft, content: unknown): void {
  for (const operation of membersOf(content, 'operations').flat()) {
    draft.next();
    const members = new Map(entriesOf(operation).map(([name, inner]) => [fold(name), inner]));
    const verb = verbOf(members.get('op'));
    const path = members.get('path');
    const value = members.get('value');
    if (typeof path !== 'string' || path === '') {
      for (const resource of [value].flat()) readResource(draft, verb, resource);
      continue;
    }
    const read = readPath(path);
    if (!read) draft.miss(verb, path);
    else if (read.attribute === '') readExtension(draft, verb, read.schema, value);
    else draft.take(verb, read, value);
  }
}

function verbOf(op: unknown): Verb {
  const verb = typeof op === 'string' ? fold(op) : '';
  return verb === 'add' || verb === 'remove' || verb === 'replace' ? verb : 'unknown';
}

function readResource(draft: ChangeDraft, verb: Verb, resource: unknown): void {
  for (const [name, value] of entriesOf(resource)) {
    const path = readPath(name);
    if (!path) draft.note('?');
    else if (path.attribute === '') readExtension(draft, verb, path.schema, value);
    else draft.take(verb, path, value);
  }
}

function readExtension(draft: ChangeDraft, verb: Verb, schema: string, value: unknown): void {
  const attributes = entriesOf(value);
  if (attributes.length === 0) draft.note(knownName(schema, ''));
  for (const [attribute, inner] of attributes) draft.take(verb, { schema, attribute }, inner);
}

class ChangeDraft {
  readonly #paths = new Set<string>();
  readonly #named = new Map<'added' | 'removed' | 'set', { count: number; ids: string[] }>();
  #active: boolean | undefined;
  /** The operation that said it. */
  #activeAt = -1;
  #password = false;
  #userName: string | undefined;
  #removedUnnamed: Change['removedUnnamed'];
  #left: Set<string> | undefined;
  /** The operation of a PATCH that is read, and the one that set the members. */
  #at = 0;
  #setAt = -1;

  next(): void {
    this.#at += 1;
  }

  note(path: string): void {
    if (this.#paths.size < maxPaths) this.#paths.add(path);
  }

  /** A path that is none, or too long to be read: of members, it may choose all of them. */
  miss(verb: Verb, path: string): void {
    this.note('?');
    if ((verb === 'remove' || verb === 'replace') && fold(path).includes('members'))
      this.#removeUnnamed('by filter');
  }

  take(verb: Verb, path: AttributePath, value: unknown): void {
    const { schema, attribute, part } = path;
    const folded = fold(attribute);
    // Whatever schema it claims to belong to, a reader may take it for one.
    if (folded === 'password' || fold(part ?? '') === 'password') this.#password ||= verb !== 'remove';
    if (part === undefined && hasParts(schema, attribute) && entriesOf(value).length > 0) {
      for (const [name] of entriesOf(value)) {
        this.#password ||= fold(name) === 'password';
        this.note(knownName(schema, attribute, name));
      }
      return;
    }
    this.note(knownName(schema, attribute, part));
    if (!isCore(schema)) return;
    if (folded === 'active') this.#takeActive(verb, booleanOf(value));
    if (folded === 'username' && typeof value === 'string') this.#userName = value;
    if (folded === 'members') this.#takeMembers(verb, path, value);
  }

  finish(): Change {
    return {
      paths: [...this.#paths].toSorted(),
      ...(this.#active !== undefined && { active: this.#active }),
      ...(this.#password && { password: true }),
      ...(this.#userName !== undefined && { userName: this.#userName }),
      ...Object.fromEntries(this.#named),
      ...(this.#removedUnnamed && { removedUnnamed: this.#removedUnnamed }),
      ...(this.#left && { left: this.#left.size }),
    };
  }

  /** Of two spellings in one operation nobody knows which is read, nor whether an unknown verb is: switching off counts. */
  #takeActive(verb: Verb, active: boolean | undefined): void {
    if (active === undefined || verb === 'remove') return;
    const isCertain = verb !== 'unknown' && this.#activeAt !== this.#at;
    if (this.#active === false && !isCertain) return;
    this.#active = active;
    this.#activeAt = this.#at;
  }

  #takeMembers(verb: Verb, { filter, part }: AttributePath, value: unknown): void {
    if (verb === 'unknown' || (part !== undefined && fold(part) !== 'value')) return;
    const members = [value ?? []].flat();
    if (filter !== undefined) {
      if (verb === 'add') return;
      const chosen = valuesIn(filter);
      if (chosen) this.#remove(chosen);
      else this.#removeUnnamed('by filter');
      if (verb === 'replace') this.#add(members);
    } else if (verb === 'add') this.#add(members);
    else if (verb === 'replace') this.#set(members);
    // An empty list is as no value at all (RFC 7643 §2.5).
    else if (members.length === 0) this.#removeUnnamed('all');
    else this.#remove(members);
  }

  #add(members: readonly unknown[]): void {
    this.#count('added', members);
    if (this.#left) for (const id of idsOf(members)) this.#left.add(id);
  }

  #remove(members: readonly unknown[]): void {
    this.#count('removed', members);
    if (this.#left) for (const id of idsOf(members)) this.#left.delete(id);
  }

  #removeUnnamed(how: 'all' | 'by filter'): void {
    this.#removedUnnamed = how;
    this.#left = new Set();
  }

  /** Of two spellings of one name nobody knows which is read, so the smaller list counts. */
  #set(members: readonly unknown[]): void {
    this.#count('set', members);
    const ids = new Set(idsOf(members));
    if (this.#left && this.#setAt === this.#at && this.#left.size <= ids.size) return;
    this.#left = ids;
    this.#setAt = this.#at;
  }

  #count(what: 'added' | 'removed' | 'set', members: readonly unknown[]): void {
    const named = this.#named.getOrInsertComputed(what, () => ({ count: 0, ids: [] }));
    named.count += members.length;
    for (const id of idsOf(members)) {
      if (named.ids.length === maxKept) return;
      named.ids.push(id);
    }
  }
}

function* idsOf(members: readonly unknown[]): Generator<string> {
  for (const member of members) {
    const id = typeof member === 'string' ? member : membersOf(member, 'value')[0];
    if (typeof id === 'string') yield id;
  }
}

/** Alone, or as one manager of identities lists it; of several, `false` counts. */
function booleanOf(value: unknown): boolean | undefined {
  const said = [value].flat().flatMap((one) => [one, ...membersOf(one, 'value')].map(scalarOf));
  return said.includes(false) ? false : said.find((one) => one !== undefined);
}

/** Some identity managers write "True" (facts: callers' dialects), and Java's usual reader of JSON takes 0 for false. */
function scalarOf(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value;
  const text = typeof value === 'string' ? fold(value.trim()) : value === 0 ? 'false' : '';
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

function membersOf(value: unknown, name: string): unknown[] {
  return entriesOf(value).flatMap(([key, inner]) => (fold(key) === name ? [inner] : []));
}

function entriesOf(value: unknown): [string, unknown][] {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'));
  } catch {
    return undefined; // what is no JSON is refused before it goes up; its record has length and hash
  }
}
