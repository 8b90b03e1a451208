/** Tells the trail what a file of secrets says now and did not before: whose secrets came and went, and whose file said it. */
import type { SecretBookOptions } from '../auth/secret-book.ts';
import type { Note } from './own-trail.ts';

/** @param setting the key of the configuration that names the file */
export function tellReload(setting: string, note: Note): NonNullable<SecretBookOptions['onReloaded']> {
  return ({ changes, actor }) => {
    note('secret.reloaded', { setting, holders: changes.length, actor });
    for (const change of changes) note('secret.changed', { setting, ...change, actor });
  };
}
