/**
 * A page of records out of all trails, by time, and where the next one goes on. Invariant: pages neither repeat nor leave
 * out a record while the trail grows; within a chain the order is the chain's own, as in `gatehouse audit search`.
 */
import type { Entry } from '../../audit/entry.ts';
import type { Chain } from '../../audit/read.ts';
import type { Cursor } from './cursor.ts';
import type { IndexStore } from './index-store.ts';
import { matchesIn, readRecords, type Place, type Range } from './matches.ts';
import type { Asked } from './shape.ts';

export interface PageAsk {
  readonly asked: Asked;
  readonly range: Range;
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
  /** Of the page before. */
  readonly cursor?: Cursor | undefined;
}

export interface Page {
  readonly entries: readonly Entry[];
  readonly next: Cursor | undefined;
}

interface Candidate {
  readonly chain: string;
  readonly place: Place;
  readonly ordinal: number;
  readonly ms: number;
}

export async function pageOf(
  chains: readonly Chain[],
  store: IndexStore,
  { limit, ...ask }: PageAsk,
  signal: AbortSignal,
): Promise<Page> {
  const picked: Candidate[] = [];
  const told: Record<string, readonly [number, number]> = { ...ask.cursor };
  let hasMore = false;
  for await (const candidate of merged(chains, store, ask, signal)) {
    if (picked.length === limit) {
      hasMore = true;
      break;
    }
    picked.push(candidate);
    told[candidate.chain] = [candidate.place.index.name.number, candidate.ordinal];
  }
  return { entries: await entriesOf(picked), next: hasMore ? told : undefined };
}

/** Of the chains' heads the one that comes first; on a tie that of the chain that was named first. */
async function* merged(
  chains: readonly Chain[],
  store: IndexStore,
  ask: Omit<PageAsk, 'limit'>,
  signal: AbortSignal,
): AsyncGenerator<Candidate> {
  const sources = chains.map((chain) => candidatesOf(chain, store, ask, signal));
  const heads = await Promise.all(sources.map(async (source) => (await source.next()).value ?? undefined));
  const isBefore = (some: Candidate, other: Candidate): boolean =>
    ask.order === 'newest' ? some.ms > other.ms : some.ms < other.ms;
  while (true) {
    let first: number | undefined;
    for (const [at, head] of heads.entries()) {
      const best = first === undefined ? undefined : heads[first];
      if (head && (!best || isBefore(head, best))) first = at;
    }
    const head = first === undefined ? undefined : heads[first];
    if (first === undefined || !head) return;
    yield head;
    heads[first] = (await sources[first]?.next())?.value ?? undefined;
  }
}

async function* candidatesOf(
  chain: Chain,
  store: IndexStore,
  { asked, range, order, cursor }: Omit<PageAsk, 'limit'>,
  signal: AbortSignal,
): AsyncGenerator<Candidate, undefined> {
  const key = chain.chain ?? chain.instance;
  const last = cursor?.[key];
  const isBackward = order === 'newest';
  const numbers = chain.segments.map((_, at) => at);
  for (const at of isBackward ? numbers.toReversed() : numbers) {
    signal.throwIfAborted();
    const segment = chain.segments[at];
    if (!segment || (last && isBehind(segment.name.number, last[0], isBackward))) continue;
    const place = { instance: chain.instance, path: segment.path, index: await store.of(chain, at) };
    const ordinals = await matchesIn(place, asked, range);
    const isRest = segment.name.number === last?.[0];
    for (const ordinal of isBackward ? ordinals.toReversed() : ordinals)
      if (!isRest || (ordinal !== last[1] && !isBehind(ordinal, last[1], isBackward)))
        yield { chain: key, place, ordinal, ms: place.index.times[ordinal] ?? 0 };
  }
  return undefined;
}

/** Whether it was told already, on the way from one end to the other. */
function isBehind(some: number, last: number, isBackward: boolean): boolean {
  return isBackward ? some > last : some < last;
}

/** In the order of the candidates; a record that is not as it was any more is left out. */
async function entriesOf(picked: readonly Candidate[]): Promise<Entry[]> {
  const byPlace = Map.groupBy(picked, ({ place }) => place);
  const read = new Map(
    await Promise.all(
      [...byPlace].map(
        async ([place, all]) =>
          [
            place,
            await readRecords(
              place,
              all.map(({ ordinal }) => ordinal),
            ),
          ] as const,
      ),
    ),
  );
  return picked
    .map(({ place, ordinal }) => read.get(place)?.get(ordinal))
    .filter((entry) => entry !== undefined);
}
