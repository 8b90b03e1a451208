/** What something is counted and held under. */
import type { LossKind } from './loss.ts';

export interface Matter {
  readonly kind: LossKind | 'load';
  readonly caller: string;
  readonly system: string;
  readonly resourceType: string;
  /** The group that loses members, as the trail names it. */
  readonly target?: string | undefined;
  /** What it is counted under where that has more spellings than one; never told. */
  readonly sameAs?: string | undefined;
}

/** What of it is told. */
export function toldOf({ kind, caller, system, resourceType, target }: Matter): Matter {
  return { kind, caller, system, resourceType, ...(target !== undefined && { target }) };
}
