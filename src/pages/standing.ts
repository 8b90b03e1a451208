/**
 * Who stands at a place: the loads whose next page begins there. Pure. The invariant: while one of them may have been given
 * what another was not, nobody's page leaves anything out.
 */
import type { Position } from './position.ts';

export interface Standing {
  readonly position: Position;
  /** How many have come and not asked for the page yet; a repeated page finds its place after that. */
  readonly waiting: number;
}

export function arrive(before: Standing | undefined, position: Position): Standing {
  const others = before?.waiting ?? 0;
  const isDoubtful = before !== undefined && others > 0 && !isSame(before.position, position);
  return { position: isDoubtful ? inDoubt(position) : position, waiting: others + 1 };
}

export function leave({ position, waiting }: Standing): Standing {
  return { position, waiting: Math.max(0, waiting - 1) };
}

/** Whoever asks for the page behind has this one, and will not repeat it. */
export function isOver({ waiting }: Standing): boolean {
  return waiting === 0;
}

/** Loads that came from different blocks: none may have the rest of another's. */
export function inDoubt(position: Position): Position {
  return { ...position, tag: undefined, given: new Set() };
}

function isSame(one: Position, other: Position): boolean {
  const { given } = other;
  return one.tag === other.tag && one.given.size === given.size && one.given.isSubsetOf(given);
}

/** What happened at a place. */
export type PlaceEvent =
  | { readonly id: string; readonly kind: 'left' }
  | { readonly id: string; readonly kind: 'over' }
  | { readonly id: string; readonly kind: 'came'; readonly position: Position; readonly until: number };

export interface History {
  /** Before the last event. */
  readonly before: Standing | undefined;
  /** How long it may be believed. */
  readonly until: number;
  /** Events without which the others say the same. */
  readonly past: readonly string[];
}

/** @param events in their order */
export function historyOf(events: readonly PlaceEvent[]): History {
  let before: Standing | undefined;
  let after: Standing | undefined;
  let until = 0;
  const past: string[] = [];
  const current: string[] = [];
  for (const event of events) {
    before = after;
    const isFree = !after || isOver(after);
    if (event.kind === 'left') {
      (isFree ? past : current).push(event.id);
      after &&= leave(after);
      continue;
    }
    if (isFree) past.push(...current.splice(0));
    if (event.kind === 'over') {
      past.push(event.id);
      if (isFree) after = undefined;
    } else {
      current.push(event.id);
      after = arrive(after, event.position);
      ({ until } = event);
    }
  }
  return { before, until, past };
}
