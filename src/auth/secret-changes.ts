/**
 * What differs between two readings of a file of secrets, holder by holder, for the trail: who may log on is told like a
 * setting. Invariant: a secret is named as in `actor.credential`, and neither it nor its hash is ever told.
 */
import type { Entries } from './secret-file.ts';
import { nameOf } from './secret.ts';

interface ToldSecret {
  /** As `actor.credential` of whoever logs on with it. */
  readonly id: string;
  /** From then on it is refused; never, if it is left out. */
  readonly notAfter?: string;
}

export interface SecretChange {
  /** The technical user, or the console's local account, as the file names it. */
  readonly holder: string;
  readonly added: readonly ToldSecret[];
  readonly removed: readonly ToldSecret[];
  /** Those that end at another time than before, with the one that is in force now. */
  readonly moved: readonly ToldSecret[];
}

export function changesBetween(before: Entries, after: Entries): SecretChange[] {
  const holders = new Set([...before.keys(), ...after.keys()]);
  return [...holders].flatMap((holder) => {
    const [old, now] = [endsOf(before, holder), endsOf(after, holder)];
    const told = [...now].map(tell);
    const change: SecretChange = {
      holder,
      added: told.filter(({ id }) => !old.has(id)),
      removed: [...old].filter(([id]) => !now.has(id)).map(tell),
      moved: told.filter(({ id }) => old.has(id) && old.get(id) !== now.get(id)),
    };
    return [change.added, change.removed, change.moved].some((all) => all.length > 0) ? [change] : [];
  });
}

/** Id → when it ends. Who has one secret twice has it until the later end. */
function endsOf(entries: Entries, holder: string): ReadonlyMap<string, number> {
  const ends = new Map<string, number>();
  for (const { hash, notAfter = Infinity } of entries.get(holder) ?? []) {
    const id = nameOf(hash);
    ends.set(id, Math.max(notAfter, ends.get(id) ?? -Infinity));
  }
  return ends;
}

function tell([id, notAfter]: readonly [string, number]): ToldSecret {
  return { id, ...(notAfter !== Infinity && { notAfter: new Date(notAfter).toISOString() }) };
}
