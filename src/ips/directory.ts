/**
 * A SCIM directory of users and groups in SQLite, in memory or in a file: uniqueness, memberships, times.
 * It behaves as a SCIM service provider does, and answers with `BackendFailure` what one would refuse.
 */
import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';

import { dissect, indexes, noIndexes, resourceTable, unlessTaken, type Row } from './directory-row.ts';
import { asksForMemberships, conditionOf, indexedTerm, type IndexedTerm } from './directory-search.ts';
import { matches, type Filter } from './filter.ts';
import { Memberships, memberTable } from './memberships.ts';
import { applyPatch } from './patch.ts';
import { scimFailure } from './refusal.ts';
import { parseResource, typeName, type Resource, type ResourceType } from './resource.ts';
import { statementsOf, type Statements } from './statements.ts';

export interface DirectoryOptions {
  /** Base address in `meta.location` and `$ref`. */
  readonly url: string;
  /** SQLite file; in memory when absent. */
  readonly file?: string | undefined;
}

export class Directory implements Disposable {
  readonly url: string;
  /** Undefined in memory. */
  readonly file: string | undefined;
  readonly #database: DatabaseSync;
  readonly #sql: Statements;
  readonly #memberships: Memberships;

  constructor({ url, file }: DirectoryOptions) {
    this.url = url;
    this.file = file;
    this.#database = new DatabaseSync(file ?? ':memory:');
    // A stand-in's data may be lost with the machine, not with the process.
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    this.#database.exec(resourceTable + indexes + memberTable);
    this.#sql = statementsOf(this.#database);
    this.#memberships = new Memberships(url, this.#sql);
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  count(type: ResourceType, filter?: Filter): number {
    const term = filter && indexedTerm(filter, type);
    if (filter && !term?.exact) return this.#scan(type, filter, term).length;
    const { where, values } = conditionOf(type, term);
    return Number(this.#sql(`SELECT count(*) AS n FROM resource WHERE ${where}`).get(...values)?.['n']);
  }

  list(
    type: ResourceType,
    startIndex: number,
    count: number,
    filter?: Filter,
  ): { resources: Resource[]; total: number } {
    const term = filter && indexedTerm(filter, type);
    if (filter && !term?.exact) {
      const found = this.#scan(type, filter, term);
      const page = found.slice(startIndex - 1, startIndex - 1 + count);
      return { resources: page.map((row) => this.#whole(type, row)), total: found.length };
    }
    const { where, values } = conditionOf(type, term);
    const rows = this.#rows(
      `SELECT * FROM resource WHERE ${where} ORDER BY seq LIMIT ? OFFSET ?`,
      ...values,
      count,
      startIndex - 1,
    );
    return { resources: rows.map((row) => this.#whole(type, row)), total: this.count(type, filter) };
  }

  /** Every resource of the type, in the order of creation. */
  *resources(type: ResourceType): Generator<Resource> {
    for (const row of this.#rows('SELECT * FROM resource WHERE type = ? ORDER BY seq', type))
      yield this.#whole(type, row);
  }

  get(type: ResourceType, id: string): Resource {
    return this.#whole(type, this.#row(type, id));
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
      const { name, external, email, document, members } = dissect(type, resource);
      const update = this.#sql(
        'UPDATE resource SET name = ?, external = ?, email = ?, modified = ?, document = ? WHERE type = ? AND id = ?',
      );
      const now = new Date().toISOString();
      unlessTaken(type, () => update.run(name, external, email, now, document, type, id));
      if (type === 'Groups') this.#memberships.set(id, members);
      return this.get(type, id);
    });
  }

  patch(type: ResourceType, id: string, patch: unknown): Resource {
    return this.replace(type, id, applyPatch(this.get(type, id), patch));
  }

  delete(type: ResourceType, id: string): void {
    this.#transact(() => {
      this.#row(type, id);
      this.#memberships.forget(id, new Date().toISOString());
      this.#sql('DELETE FROM resource WHERE type = ? AND id = ?').run(type, id);
    });
  }

  /** Many inserts as one transaction; how a generated population is loaded. */
  load(fill: () => void): void {
    this.#transact(() => {
      this.#database.exec(noIndexes);
      fill();
      this.#database.exec(indexes);
    });
  }

  /** One insert without a transaction of its own; only inside `load`. */
  insert(type: ResourceType, id: string, resource: Resource, createdAt: string): void {
    const { name, external, email, document, members } = dissect(type, resource);
    const insert = this.#sql(
      `INSERT INTO resource (type, id, name, external, email, created, modified, document)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    unlessTaken(type, () => insert.run(type, id, name, external, email, createdAt, createdAt, document));
    if (type === 'Groups') this.#memberships.set(id, members);
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

  /** The rows that match, with an index's help where one applies. */
  #scan(type: ResourceType, filter: Filter, term: IndexedTerm | undefined): Row[] {
    const { where, values } = conditionOf(type, term);
    const rows = this.#rows(`SELECT * FROM resource WHERE ${where} ORDER BY seq`, ...values);
    const shown = asksForMemberships(filter) ? this.#whole.bind(this) : this.#plain.bind(this);
    return rows.filter((row) => matches(filter, shown(type, row)));
  }

  /** The resource without what is read from memberships. */
  #plain(type: ResourceType, row: Row): Resource {
    const { schemas: urns, ...attributes } = parseResource(row.document);
    const location = `${this.url}/${type}/${encodeURIComponent(row.id)}`;
    const times = { created: row.created, lastModified: row.modified };
    return {
      schemas: urns,
      id: row.id,
      ...attributes,
      meta: { resourceType: typeName[type], ...times, location },
    };
  }

  #whole(type: ResourceType, row: Row): Resource {
    const plain = this.#plain(type, row);
    const groups = type === 'Users' ? this.#memberships.groupsOf(row.id) : [];
    const members = type === 'Groups' ? this.#memberships.membersOf(row.id) : [];
    return { ...plain, ...(groups.length > 0 && { groups }), ...(members.length > 0 && { members }) };
  }
}
