/**
 * Keeps what an answer of the tenant says beside what was asked for: the neighbours of a page, the resources of a list.
 * The invariant is the cache's: an entry carries tokens that were current before the tenant was asked.
 */
import type { Reply } from '../scim/call.ts';
import type { Operation } from '../scim/operation.ts';
import { areEqual } from './flights.ts';
import type { EntryName } from './key.ts';
import type { Store } from './store.ts';

/** Another reading that the same answer holds. */
export interface Further {
  readonly operation: Operation;
  readonly reply: Reply;
  readonly scope: string;
}

export interface NamedReply extends Pick<Further, 'operation' | 'reply'> {
  readonly name: EntryName;
}

/** The generations of what was asked for, and their tokens before. */
export interface Known {
  readonly generations: readonly string[];
  readonly tokens: readonly string[];
}

/** A store takes so many at a time; its next look comes after them. */
const atOnce = 32;

/**
 * Ids are not known before the tenant is asked, so nobody looked at their generations. But a write that ends one of them
 * ends the lists of its type as well (Operation.touches): while those stand, what is read now was so before.
 */
export async function keepFurther(
  all: readonly NamedReply[],
  known: Known,
  store: Pick<Store, 'look'>,
  put: (named: NamedReply, tokens: readonly string[]) => void,
): Promise<void> {
  const others: NamedReply[] = [];
  for (const named of all)
    if (areEqual(named.name.generations, known.generations)) put(named, known.tokens);
    else others.push(named);
  for (let from = 0; from < others.length; from += atOnce) {
    const some = others.slice(from, from + atOnce);
    const tokens = await tokensNow(some, known, store);
    if (!tokens || !areEqual(tokens(known), known.tokens)) return;
    for (const named of some) put(named, tokens(named.name));
  }
}

/** The tokens of all generations at one instant. */
async function tokensNow(
  some: readonly NamedReply[],
  known: Known,
  store: Pick<Store, 'look'>,
): Promise<((of: Pick<Known, 'generations'>) => string[]) | undefined> {
  const [first] = some;
  const generations = [
    ...new Set([known, ...some.map(({ name }) => name)].flatMap((each) => each.generations)),
  ];
  const look = first && (await store.look(first.name.key, generations));
  if (!look) return undefined;
  const byName = new Map(generations.map((generation, at) => [generation, look.tokens[at] ?? '']));
  return (of) => of.generations.map((generation) => byName.get(generation) ?? '');
}
