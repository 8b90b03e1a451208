/**
 * What a write may take away: an account, its use, members of a group. Pure. How many members stay is told by the write
 * itself; how many there were is the tenant's to say, so a loss of members is known only together with a size.
 */
import type { Operation } from '../scim/operation.ts';

export type LossKind = 'delete' | 'deactivation' | 'shrinking';

interface Named {
  readonly count: number;
  /** Not all of them where there are many. */
  readonly ids: readonly string[];
}

/** What the body of a write, or of a part of one, changes, as the trail reads it. */
export interface ReadChange {
  readonly active?: boolean;
  readonly removed?: Named;
  /** How many members stay at most, where they were set or removed unnamed. */
  readonly left?: number;
}

export interface Loss {
  readonly kind: LossKind;
  readonly resourceType: string;
  /** The group that loses members. */
  readonly group?: Operation;
  /** How many are lost; undefined where only the size of the group tells. */
  readonly amount?: number;
  /** How many members stay at most. */
  readonly stay?: number;
}

/** @param changes one for each part of a bulk request, else one or none */
export function lossesOf(operation: Operation, changes: readonly ReadChange[]): readonly Loss[] {
  if (operation.api !== 'proxy' || operation.effect !== 'write') return [];
  const parts = operation.kind === 'bulk' ? operation.parts : [operation];
  const single = parts.flatMap((part, at) => lossesIn(part, changes[at]));
  return [
    ...Map.groupBy(single, ({ kind, resourceType, group }) =>
      [kind, resourceType, group?.id].join('\n'),
    ).values(),
  ].flatMap(together);
}

function lossesIn(operation: Operation, change: ReadChange = {}): readonly Loss[] {
  const { kind, resourceType } = operation;
  if (kind === 'delete') return [{ kind: 'delete', resourceType, amount: 1 }];
  if (kind !== 'replace' && kind !== 'patch') return [];
  const shrinking = shrinkingIn(operation, change);
  return [
    ...(change.active === false ? [{ kind: 'deactivation', resourceType, amount: 1 } as const] : []),
    ...(shrinking ? [shrinking] : []),
  ];
}

function shrinkingIn(operation: Operation, { removed, left }: ReadChange): Loss | undefined {
  const { kind, resourceType } = operation;
  const shrinking = { kind: 'shrinking', resourceType, group: operation } as const;
  // A group that is put without members has none from then on (facts: IPS 3.5).
  if (kind === 'replace') return resourceType === 'Groups' ? { ...shrinking, stay: left ?? 0 } : undefined;
  if (left !== undefined) return { ...shrinking, stay: left };
  return removed && removed.count > 0 ? { ...shrinking, amount: distinct(removed) } : undefined;
}

function distinct(named: Named): number {
  return named.ids.length === named.count ? new Set(named.ids).size : named.count;
}

/** Deletes and deactivations of one call are one number; what a group loses is told by each of its writes. */
function together(alike: readonly Loss[]): readonly Loss[] {
  const [first] = alike;
  if (!first || first.kind === 'shrinking') return alike;
  return [{ ...first, amount: alike.length }];
}
