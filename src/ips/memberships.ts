/**
 * Who is in which group of a directory. Memberships stand once, on the group's side; a user's `groups` is read
 * from them, so the two cannot disagree.
 */
import { scimFailure } from './refusal.ts';
import { isObject, parseResource, textOf, type Resource } from './resource.ts';
import type { Statements } from './statements.ts';

export const memberTable = `
  CREATE TABLE IF NOT EXISTS member (
    seq INTEGER PRIMARY KEY, groupId TEXT NOT NULL, value TEXT NOT NULL, details TEXT NOT NULL,
    UNIQUE (groupId, value));
  CREATE INDEX IF NOT EXISTS member_value ON member (value);
`;

export class Memberships {
  readonly #url: string;
  readonly #sql: Statements;

  /** @param url base address in `$ref` */
  constructor(url: string, sql: Statements) {
    this.#url = url;
    this.#sql = sql;
  }

  set(groupId: string, wanted: readonly unknown[]): void {
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

  /** Takes a deleted resource out of all groups, and its members out of it. */
  forget(id: string, now: string): void {
    this.#sql(
      `UPDATE resource SET modified = ? WHERE type = 'Groups' AND id IN (SELECT groupId FROM member WHERE value = ?)`,
    ).run(now, id);
    this.#sql('DELETE FROM member WHERE value = ? OR groupId = ?').run(id, id);
  }

  membersOf(groupId: string): Resource[] {
    const rows = this.#sql('SELECT value, details FROM member WHERE groupId = ? ORDER BY seq').all(groupId);
    return rows.map((row) => {
      const details = parseResource(String(row['details']));
      const folder = details['type'] === 'Group' ? 'Groups' : 'Users';
      const value = String(row['value']);
      return Object.assign(details, { value, $ref: `${this.#url}/${folder}/${encodeURIComponent(value)}` });
    });
  }

  groupsOf(id: string): Resource[] {
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

/** A member's value and what else the caller said of it; its `$ref` and type are ours to know. */
function readMember(member: unknown): [string, Resource] {
  const value = isObject(member) ? textOf(member, 'value') : undefined;
  if (!isObject(member) || value === undefined)
    throw scimFailure(400, 'A member has no value.', 'invalidValue');
  const display = textOf(member, 'display');
  return [value, display === undefined ? {} : { display }];
}
