/** Prepared statements of one database, each prepared once. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';

export type Statements = (text: string) => StatementSync;

export function statementsOf(database: DatabaseSync): Statements {
  const prepared = new Map<string, StatementSync>();
  return (text) => prepared.getOrInsertComputed(text, () => database.prepare(text));
}
