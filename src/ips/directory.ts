/**
 * A SCIM directory of users and groups in SQLite, in memory or in a file: uniqueness, memberships, times.
 * A user's `groups` is never stored: it is read from the members of groups, so the two cannot disagree.
 */
import { randomUUID } from 'node:crypto';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

import { indexedTerm } from './directory-search.ts';
import { matches, type Filter } from './filter.ts';
import { applyPatch } from './patch.ts';
import { scimFailure } from './refusal.ts';
import {
  coreSchema,
  isObject,
  parseResource,
  keyOf,
  textOf,
  typeName,
  uniqueAttribute,
  type MutableResource,
  type Resource,
  type ResourceType,
} from './resource.ts';

const tables = `
  CREATE TABLE IF NOT EXISTS resource (
    seq INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, external TEXT, email TEXT,
    created TEXT NOT NULL, modified TEXT NOT NULL, document TEXT NOT NULL,
    UNIQUE (type, id), UNIQUE (type, name));
  CREATE INDEX IF NOT EXISTS resource_external ON resource (type, external) WHERE external IS NOT NULL;
  CREATE INDEX IF NOT EXISTS resource_email ON resource (type, email) WHERE email IS NOT NULL;
  CREATE INDEX IF NOT EXISTS resource_modified ON resource (type, modified);
  CREATE INDEX IF NOT EXISTS resource_order ON resource (type, seq);
  CREATE TABLE IF NOT EXISTS member (
    seq INTEGER PRIMARY KEY, groupId TEXT NOT NULL, value TEXT NOT NULL, details TEXT NOT NULL,
    UNIQUE (groupId, value));
  CREATE INDEX IF NOT EXISTS member_value ON member (value);
`;

interface Row {
  readonly id: string;
  readonly created: string;
  readonly modified: string;
  readonly document: string;
}

export interface DirectoryOptions {
  /** Base address in `meta.location` and `$ref`. */
  readonly url: string;
  /** SQLite file; in memory when absent. */
  readonly file?: string | undefined;
}

export class Directory implements Disposable {
  readonly #url: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor({ url, file = ':memory:' }: DirectoryOptions) {
    this.#url = url;
    this.#database = new DatabaseSync(file);
    // A stand-in's data may be lost with the machine, not with the process.
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    this.#database.exec(tables);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  count(type: ResourceType, filter?: Filter): number {
    if (filter) return this.#found(type, filter).length;
    return Number(this.#sql('SELECT count(*) AS n FROM resource WHERE type = ?').get(type)?.['n']);
  }

  list(
    type: ResourceType,
    startIndex: number,
    count: number,
    filter?: Filter,
  ): { resources: Resource[]; total: number } {
    if (filter) {
      const found = this.#found(type, filter);
      return { resources: found.slice(startIndex - 1, startIndex - 1 + count), total: found.length };
    }
    const rows = this.#rows(
      'SELECT * FROM resource WHERE type = ? ORDER BY seq LIMIT ? OFFSET ?',
      type,
      count,
      startIndex - 1,
    );
    return { resources: rows.map((row) => this.#resource(type, row)), total: this.count(type) };
  }

  /** Every resource of the type, in the order of creation. */
  *resources(type: ResourceType): Generator<Resource> {
    for (const row of this.#rows('SELECT * FROM resource WHERE type = ? ORDER BY seq', type))
      yield this.#resource(type, row);
  }

  get(type: ResourceType, id: string): Resource {
    return this.#resource(type, this.#row(type, id));
  }

  create(type: ResourceType, resource: Resource, id: string = randomUUID()): Resource {
    return this.#transact(() => {
      this.insert(type, id, resource, new Date().toISOString());
      return this.get(type, id);
    });
  }

  replace(type: ResourceType, id: string, resource: Resource): Resource {
    return this.#transact(() => {
      this.#row(type, id);
      const { name, external, email, document, members } = this.#dissect(type, id, resource);
      this.#sql(
        'UPDATE resource SET name = ?, external = ?, email = ?, modified = ?, document = ? WHERE type = ? AND id = ?',
      ).run(name, external, email, new Date().toISOString(), document, type, id);
      if (type === 'Groups') this.#setMembers(id, members);
      return this.get(type, id);
    });
  }

  patch(type: ResourceType, id: string, patch: unknown): Resource {
    return this.replace(type, id, applyPatch(this.get(type, id), patch));
  }

  delete(type: ResourceType, id: string): void {
    this.#transact(() => {
      this.#row(type, id);
      this.#sql(
        `UPDATE resource SET modified = ? WHERE type = 'Groups' AND id IN (SELECT groupId FROM member WHERE value = ?)`,
      ).run(new Date().toISOString(), id);
      this.#sql('DELETE FROM member WHERE value = ? OR groupId = ?').run(id, id);
      this.#sql('DELETE FROM resource WHERE type = ? AND id = ?').run(type, id);
    });
  }

  /** Many inserts as one transaction; how a generated population is loaded. */
  load(fill: () => void): void {
    this.#transact(fill);
  }

  /** One insert without a transaction of its own; only inside `load`. */
  insert(type: ResourceType, id: string, resource: Resource, createdAt: string): void {
    const { name, external, email, document, members } = this.#dissect(type, id, resource);
    this.#sql(
      `INSERT INTO resource (type, id, name, external, email, created, modified, document)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(type, id, name, external, email, createdAt, createdAt, document);
    if (type === 'Groups') this.#setMembers(id, members);
  }

  #sql(text: string): StatementSync {
    return this.#statements.getOrInsertComputed(text, () => this.#database.prepare(text));
  }

  #rows(text: string, ...values: (string | number)[]): Row[] {
    return this.#sql(text)
      .all(...values)
      .map((row) => ({
        id: String(row['id']),
        created: String(row['created']),
        modified: String(row['modified']),
        document: String(row['document']),
      }));
  }

  #row(type: ResourceType, id: string): Row {
    const [row] = this.#rows('SELECT * FROM resource WHERE type = ? AND id = ?', type, id);
    if (!row) throw scimFailure(404, `Resource ${id} not found.`);
    return row;
  }

  #transact<T>(change: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const result = change();
      this.#database.exec('COMMIT');
      return result;
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  #found(type: ResourceType, filter: Filter): Resource[] {
    const term = indexedTerm(filter);
    const rows = term
      ? this.#rows(
          `SELECT * FROM resource WHERE type = ? AND ${term.column} ${term.sign} ? ORDER BY seq`,
          type,
          term.value,
        )
      : this.#rows('SELECT * FROM resource WHERE type = ? ORDER BY seq', type);
    return rows.map((row) => this.#resource(type, row)).filter((resource) => matches(filter, resource));
  }

  /** What of a resource goes where; refuses what no SCIM provider would keep. */
  #dissect(type: ResourceType, id: string, resource: Resource) {
    const attribute = uniqueAttribute[type];
    const name = textOf(resource, attribute)?.toLowerCase();
    if (!name) throw scimFailure(400, `The attribute ${attribute} is required.`, 'invalidValue');
    const [taken] = this.#rows(
      'SELECT * FROM resource WHERE type = ? AND name = ? AND id <> ?',
      type,
      name,
      id,
    );
    if (taken) throw scimFailure(409, `The value of ${attribute} is already taken.`, 'uniqueness');
    const kept: MutableResource = { schemas: [coreSchema[type]], ...resource };
    const members = kept[keyOf(kept, 'members')];
    for (const derived of ['id', 'meta', 'groups', 'password', ...(type === 'Groups' ? ['members'] : [])])
      delete kept[keyOf(kept, derived)];
    return {
      name,
      external: textOf(resource, 'externalId') ?? null,
      email: firstEmail(resource)?.toLowerCase() ?? null,
      document: JSON.stringify(kept),
      members: Array.isArray(members) ? members : [],
    };
  }

  #setMembers(groupId: string, wanted: readonly unknown[]): void {
    const members = new Map(wanted.map((member) => readMember(member)));
    const present = this.#sql('SELECT value FROM member WHERE groupId = ?').all(groupId);
    const known = new Set(present.map((row) => String(row['value'])));
    for (const value of known)
      if (!members.has(value))
        this.#sql('DELETE FROM member WHERE groupId = ? AND value = ?').run(groupId, value);
    for (const [value, details] of members) {
      if (known.has(value)) continue;
      const kind = this.#sql(`SELECT type FROM resource WHERE type IN ('Users', 'Groups') AND id = ?`).get(
        value,
      )?.['type'];
      if (kind === undefined) throw scimFailure(400, 'A member does not exist.', 'invalidValue');
      const type = kind === 'Groups' ? 'Group' : 'User';
      this.#sql('INSERT INTO member (groupId, value, details) VALUES (?, ?, ?)').run(
        groupId,
        value,
        JSON.stringify({ ...details, type }),
      );
    }
  }

  #resource(type: ResourceType, row: Row): Resource {
    const { schemas: urns, ...attributes } = parseResource(row.document);
    const related =
      type === 'Users' ? { groups: this.#groupsOf(row.id) } : { members: this.#membersOf(row.id) };
    const [[name, values] = ['', []]] = Object.entries(related);
    return {
      schemas: urns,
      id: row.id,
      ...attributes,
      ...(values.length > 0 && { [name]: values }),
      meta: {
        resourceType: typeName[type],
        created: row.created,
        lastModified: row.modified,
        location: `${this.#url}/${type}/${encodeURIComponent(row.id)}`,
      },
    };
  }

  #membersOf(groupId: string): Resource[] {
    const rows = this.#sql('SELECT value, details FROM member WHERE groupId = ? ORDER BY seq').all(groupId);
    return rows.map((row) => {
      const details = parseResource(String(row['details']));
      const folder = details['type'] === 'Group' ? 'Groups' : 'Users';
      const value = String(row['value']);
      return Object.assign(details, { value, $ref: `${this.#url}/${folder}/${encodeURIComponent(value)}` });
    });
  }

  #groupsOf(id: string): Resource[] {
    const rows = this.#sql(
      `SELECT groupId, json_extract(document, '$.displayName') AS display FROM member
       JOIN resource ON type = 'Groups' AND id = groupId WHERE value = ? ORDER BY member.seq`,
    ).all(id);
    return rows.map(({ groupId, display }) => ({
      value: groupId,
      display,
      type: 'direct',
      $ref: `${this.#url}/Groups/${encodeURIComponent(String(groupId))}`,
    }));
  }
}

function firstEmail(resource: Resource): string | undefined {
  const emails = resource[keyOf(resource, 'emails')];
  const first: unknown = Array.isArray(emails) ? emails[0] : undefined;
  return isObject(first) ? textOf(first, 'value') : undefined;
}

/** A member's value and what else the caller said of it; its `$ref` and type are ours to know. */
function readMember(member: unknown): [string, Resource] {
  const value = isObject(member) ? textOf(member, 'value') : undefined;
  if (!isObject(member) || value === undefined)
    throw scimFailure(400, 'A member has no value.', 'invalidValue');
  const display = textOf(member, 'display');
  return [value, display === undefined ? {} : { display }];
}
