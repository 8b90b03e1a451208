/** Who was deleted through the gateway, out of the changes of a board: an edition is not the smaller for them. Pure. */
import type { Change } from './board.ts';

export interface Deletions {
  /** The tenant has said that it did it. */
  readonly gone: ReadonlySet<string>;
  /** Nobody knows whether it did. */
  readonly leaving: ReadonlySet<string>;
}

export interface Deletion {
  readonly kind: 'gone' | 'leaving';
  readonly id: string;
}

export function deletionsIn(changes: Iterable<Change>): Deletion[] {
  const found: Deletion[] = [];
  for (const { kind, id } of changes)
    if ((kind === 'gone' || kind === 'leaving') && id !== undefined) found.push({ kind, id });
  return found;
}

export function deletionsOf(found: readonly Deletion[]): Deletions {
  const idsOf = (wanted: Deletion['kind']): ReadonlySet<string> =>
    new Set(found.flatMap(({ kind, id }) => (kind === wanted ? [id] : [])));
  return { gone: idsOf('gone'), leaving: idsOf('leaving') };
}
