/**
 * Whether another write came in between. A write that brings back the resource it made may fill the cache only if none
 * did: its answer may otherwise be older than one that was told already. The invariant is Store.advance's: tokens never
 * come back, so a guard that is still what it was before the write has seen no other.
 */
import type { Operation } from '../scim/operation.ts';
import { areEqual } from './flights.ts';
import type { Known } from './further.ts';
import type { Naming } from './key.ts';
import type { Store } from './store.ts';

/** Generations that stand as long as no write is answered that could change what was written. */
export interface Watch extends Known {
  readonly guard: string;
}

/** Begun before the write goes up; undefined when it brings back nothing, or the store cannot say. */
export async function beginWatch(
  naming: Naming,
  store: Pick<Store, 'look'>,
  operation: Operation,
): Promise<Watch | undefined> {
  const watched = naming.watchedBy(operation);
  const tokens = watched && (await tokensOf(store, watched.generations));
  return tokens && { ...watched, tokens };
}

/** Ends what the write touches. What then stands, if no other write was answered since the watch began. */
export async function endWatch(
  store: Pick<Store, 'advance'>,
  { generations, guard, tokens }: Watch,
  touched: readonly string[],
): Promise<Watch | undefined> {
  const at = generations.indexOf(guard);
  const token = await store.advance(touched, guard, tokens[at] ?? '');
  return token === undefined ? undefined : { generations, guard, tokens: tokens.with(at, token) };
}

export async function holds(store: Pick<Store, 'look'>, { generations, tokens }: Watch): Promise<boolean> {
  const now = await tokensOf(store, generations);
  return now !== undefined && areEqual(now, tokens);
}

async function tokensOf(
  store: Pick<Store, 'look'>,
  generations: readonly string[],
): Promise<readonly string[] | undefined> {
  const [first] = generations;
  return first === undefined ? undefined : (await store.look(first, generations))?.tokens;
}
