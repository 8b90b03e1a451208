/**
 * What the tenant remembers of entities that it has provisioned: per source system, entity and target system
 * the id over there and what was last written (facts: IPS 9). Change detection and deletion rest on it, so it lives
 * as long as the target does: in the target's own file, in memory when the target has none.
 */
import { DatabaseSync } from 'node:sqlite';

import type { ResourceType } from './resource.ts';
import { statementsOf, type Statements } from './statements.ts';
import type { System } from './system.ts';

export interface Correlation {
  readonly targetId: string;
  /** Of the resource that was last written. */
  readonly digest: string;
  /** The entity was in the target before the tenant first wrote it. */
  readonly existedBefore: boolean;
}

/** Those of one pair of systems and one type, by the id in the source. */
export interface Known {
  get(id: string): Correlation | undefined;
  set(id: string, correlation: Correlation): void;
  delete(id: string): void;
  ids(): readonly string[];
}

const table = `
  CREATE TABLE IF NOT EXISTS correlation (
    pair TEXT NOT NULL, id TEXT NOT NULL, target TEXT NOT NULL, digest TEXT NOT NULL, existed INTEGER NOT NULL,
    PRIMARY KEY (pair, id)) WITHOUT ROWID;
`;

export class Correlations implements Disposable {
  readonly #file: string | undefined;
  readonly #open = new DisposableStack();
  readonly #statements = new Map<string, Statements>();

  /** @param file for targets that keep no file of their own, such as an external service */
  constructor(file: string | undefined) {
    this.#file = file;
  }

  [Symbol.dispose](): void {
    this.#open.dispose();
  }

  between(source: System, target: System, type: ResourceType): Known {
    const file = target.directory?.file ?? this.#file ?? ':memory:';
    const sql = this.#statements.getOrInsertComputed(file, () => this.#openFile(file));
    return new KnownInTable(sql, `${source.id} ${target.id} ${type}`);
  }

  #openFile(file: string): Statements {
    const database = new DatabaseSync(file);
    this.#open.defer(() => database.close());
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    database.exec(table);
    return statementsOf(database);
  }
}

class KnownInTable implements Known {
  readonly #sql: Statements;
  readonly #pair: string;

  constructor(sql: Statements, pair: string) {
    this.#sql = sql;
    this.#pair = pair;
  }

  get(id: string): Correlation | undefined {
    const row = this.#sql('SELECT * FROM correlation WHERE pair = ? AND id = ?').get(this.#pair, id);
    if (!row) return undefined;
    const { target, digest, existed } = row;
    return { targetId: String(target), digest: String(digest), existedBefore: existed === 1 };
  }

  set(id: string, { targetId, digest, existedBefore }: Correlation): void {
    this.#sql(
      'INSERT OR REPLACE INTO correlation (pair, id, target, digest, existed) VALUES (?, ?, ?, ?, ?)',
    ).run(this.#pair, id, targetId, digest, existedBefore ? 1 : 0);
  }

  delete(id: string): void {
    this.#sql('DELETE FROM correlation WHERE pair = ? AND id = ?').run(this.#pair, id);
  }

  ids(): readonly string[] {
    return this.#sql('SELECT id FROM correlation WHERE pair = ?')
      .all(this.#pair)
      .map(({ id }) => String(id));
  }
}
