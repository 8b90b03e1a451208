/** Counts what a query finds, over time and by facet, in memory that depends on the bars and not on the trail. */
import type { Chain } from '../../audit/read.ts';
import type { FacetValue, Histogram, HistogramBar } from '../api/trail.ts';
import type { IndexStore } from './index-store.ts';
import { matchesIn, type Place, type Range } from './matches.ts';
import { entryOfShape, shapeFactsOf, type Asked, type Class, type ShapeFacts } from './shape.ts';

export interface HistogramAsk {
  readonly asked: Asked;
  /** Infinite where the query does not say. */
  readonly range: Range;
  readonly bars: number;
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
/** Steps that a person can read off an axis. */
const steps = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * second),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * minute),
  ...[1, 2, 3, 6, 12].map((count) => count * hour),
  ...[1, 2, 7, 14, 30, 90, 365].map((count) => count * day),
];
const mostValues = 50;
const columns = ['answered', 'refused', 'failed', 'unknown', 'other'] as const satisfies readonly (
  | Class
  | 'other'
)[];
const facetNames = ['caller', 'system', 'operation', 'outcome', 'event', 'instance'] as const;

type FacetName = (typeof facetNames)[number];
type Tally = Map<string, number>;

export type HistogramCounts = Omit<Histogram, 'silent' | 'damages'>;

export async function histogramOf(
  chains: readonly Chain[],
  store: IndexStore,
  { asked, range, bars }: HistogramAsk,
  signal: AbortSignal,
): Promise<HistogramCounts> {
  const places = await placesOf(chains, store, signal);
  const span = spanOf(places, range);
  const stepMs = stepOf(span, bars);
  const start = Math.floor(span.from / stepMs) * stepMs;
  const length = Math.floor((span.to - start) / stepMs) + 1;
  const counts = new Float64Array(length * columns.length);
  const facets = new Facets();
  let total = 0;
  for (const { chain, at } of places) {
    signal.throwIfAborted();
    const place = await placeOf(chain, at, store);
    const { shapes, times, shapeTexts } = place.index;
    const known = shapeTexts.map((text) => shapeFactsOf(entryOfShape(text)));
    const columnOf = Uint8Array.from(known, ({ end }) => columns.indexOf(end ?? 'other'));
    const ofShape = new Uint32Array(known.length);
    const found = await matchesIn(place, asked, span);
    for (const ordinal of found) {
      const shape = shapes[ordinal] ?? 0;
      const bar = Math.floor(((times[ordinal] ?? 0) - start) / stepMs);
      const cell = bar * columns.length + (columnOf[shape] ?? 0);
      counts[cell] = (counts[cell] ?? 0) + 1;
      ofShape[shape] = (ofShape[shape] ?? 0) + 1;
    }
    total += found.length;
    facets.add(place.instance, known, ofShape);
  }
  return {
    from: new Date(span.from).toISOString(),
    to: new Date(span.to).toISOString(),
    stepMs,
    bars: barsOf(counts, start, stepMs),
    total,
    facets: facets.told(),
  };
}

interface SegmentPlace {
  readonly chain: Chain;
  readonly at: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** The indexes themselves are asked for again, so that not all of them are in memory at once. */
async function placesOf(
  chains: readonly Chain[],
  store: IndexStore,
  signal: AbortSignal,
): Promise<SegmentPlace[]> {
  const places: SegmentPlace[] = [];
  for (const chain of chains)
    for (const at of chain.segments.keys()) {
      signal.throwIfAborted();
      const { firstMs, lastMs } = await store.of(chain, at);
      places.push({ chain, at, firstMs, lastMs });
    }
  return places;
}

async function placeOf({ segments, ...chain }: Chain, at: number, store: IndexStore): Promise<Place> {
  const index = await store.of({ segments, ...chain }, at);
  return { instance: chain.instance, path: segments[at]?.path ?? '', index };
}

function spanOf(places: readonly SegmentPlace[], { from, to }: Range): Range {
  const now = Date.now();
  const first = Math.min(...places.map(({ firstMs }) => firstMs));
  const last = Math.max(...places.map(({ lastMs }) => lastMs));
  const end = Number.isFinite(to) ? to : Number.isFinite(last) ? last : now;
  const start = Number.isFinite(from) ? from : Number.isFinite(first) ? first : end - hour;
  return { from: Math.min(start, end), to: end };
}

function stepOf({ from, to }: Range, bars: number): number {
  // One bar more than fits, because the first one begins before the range does.
  return (
    steps.find((step) => (to - from) / step < bars - 1) ??
    Math.ceil((to - from) / Math.max(1, bars - 1) / day) * day
  );
}

function barsOf(counts: Float64Array, start: number, stepMs: number): HistogramBar[] {
  const length = counts.length / columns.length;
  return Array.from({ length }, (_, bar) => {
    const [answered = 0, refused = 0, failed = 0, unknown = 0, other = 0] = counts.subarray(
      bar * columns.length,
      (bar + 1) * columns.length,
    );
    return { at: new Date(start + bar * stepMs).toISOString(), answered, refused, failed, unknown, other };
  });
}

class Facets {
  readonly #tallies: Readonly<Record<FacetName, Tally>> = {
    caller: new Map(),
    system: new Map(),
    operation: new Map(),
    outcome: new Map(),
    event: new Map(),
    instance: new Map(),
  };
  readonly #operations = new Map<string, { readonly kind: string; readonly resourceType?: string }>();

  add(instance: string, shapes: readonly ShapeFacts[], counts: Uint32Array): void {
    for (const [at, shape] of shapes.entries()) {
      const count = counts[at] ?? 0;
      if (count === 0) continue;
      this.#count('event', shape.event, count);
      this.#count('instance', instance, count);
      this.#count('caller', shape.caller, count);
      this.#count('system', shape.system, count);
      this.#count('outcome', shape.end, count);
      this.#count('operation', this.#operationOf(shape), count);
    }
  }

  told(): Histogram['facets'] {
    const { caller, system, operation, outcome, event, instance } = this.#tallies;
    return {
      caller: valuesOf(caller),
      system: valuesOf(system),
      operation: valuesOf(operation).map((found) => ({
        kind: '',
        ...this.#operations.get(found.value),
        ...found,
      })),
      outcome: valuesOf(outcome),
      event: valuesOf(event),
      instance: valuesOf(instance),
    };
  }

  #operationOf({ kind, resourceType }: ShapeFacts): string | undefined {
    if (kind === undefined) return undefined;
    const name = resourceType === undefined ? kind : `${kind} ${resourceType}`;
    this.#operations.set(name, resourceType === undefined ? { kind } : { kind, resourceType });
    return name;
  }

  #count(facet: FacetName, value: string | undefined, count: number): void {
    if (value === undefined) return;
    const tally = this.#tallies[facet];
    tally.set(value, (tally.get(value) ?? 0) + count);
  }
}

/** The most frequent ones. */
function valuesOf(tally: Tally): FacetValue[] {
  return [...tally]
    .map(([value, count]) => ({ value, count }))
    .toSorted((some, other) => other.count - some.count)
    .slice(0, mostValues);
}
