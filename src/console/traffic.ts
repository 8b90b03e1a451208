/**
 * What this replica has done lately and since its start, counted from the records of its trail as they go to disk.
 * Invariant: memory depends on the configuration's callers and systems alone, however many calls there are.
 */
import { classOf } from '../audit/survey.ts';
import type { Outcomes, Overview, TrafficStep } from './api/overview.ts';
import type { CallerState } from './api/parties.ts';
import type { Observed } from './metrics.ts';

const stepMs = 10_000;
const keptSteps = 90;
const recentSteps = 30;
/** Bounds of latencies in ms, each a quarter above the one before: from 0.1 ms to some minutes. */
const bounds = Array.from({ length: 70 }, (_, at) => 0.1 * 1.25 ** at);
const mostNames = 1000;

const noOutcomes: Outcomes = { answered: 0, refused: 0, failed: 0, unknown: 0 };

interface Step {
  readonly at: number;
  readonly outcomes: Record<keyof Outcomes, number>;
  readonly latencies: Uint32Array;
  readonly upOf: Map<string, number>;
  readonly oldestOf: Map<string, number>;
  maxMs: number;
  hits: number;
  reads: number;
  up: number;
}

interface Count {
  calls: number;
  reads: number;
  writes: number;
  up: number;
  saved: number;
  outcomes: Outcomes;
  lastAt: number;
}

interface Difference {
  readonly at: string;
  readonly detail: string;
}

export type CallerCount = Omit<CallerState, 'name' | 'may' | 'sourceNetworks'>;
export type SystemCount = Readonly<Pick<Count, 'calls' | 'up' | 'saved'>>;

export class Traffic {
  readonly #now: () => number;
  readonly #steps: Step[] = [];
  readonly #callers = new Map<string, Count>();
  readonly #systems = new Map<string, Count>();
  readonly #differences = new Map<string, Difference>();
  readonly since: number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.since = now();
  }

  readonly observe = (event: string, record: Observed): void => {
    if (event === 'cache.probe_differs') this.#noteDifference(record);
    else if (event === 'upstream.outcome') this.#countUp(record);
    else if (record.outcome?.http !== undefined && record.ms !== undefined)
      this.#countCall(event, record, record.ms);
  };

  steps(): TrafficStep[] {
    const newest = this.#startOf(this.#now());
    const byStart = new Map(this.#steps.map((step) => [step.at, step]));
    return Array.from({ length: keptSteps }, (_, back) => {
      const at = newest - (keptSteps - 1 - back) * stepMs;
      const { outcomes = noOutcomes, hits = 0, up = 0 } = byStart.get(at) ?? {};
      return { at: new Date(at).toISOString(), ...outcomes, hits, up };
    });
  }

  /** Of the last five minutes. */
  recent(): Pick<Overview, 'outcomes' | 'latency'> & { readonly hits: number; readonly reads: number } {
    const from = this.#startOf(this.#now()) - (recentSteps - 1) * stepMs;
    const steps = this.#steps.filter(({ at }) => at >= from);
    const outcomes = steps.reduce((sum: Outcomes, step) => add(sum, step.outcomes), noOutcomes);
    const latency = latencyOf(steps);
    const total = (pick: (step: Step) => number): number => steps.reduce((sum, step) => sum + pick(step), 0);
    return {
      outcomes,
      ...(latency && { latency }),
      hits: total(({ hits }) => hits),
      reads: total(({ reads }) => reads),
    };
  }

  upInLastMinute(tenant: string): number {
    const from = this.#now() - 60_000;
    return this.#steps
      .filter(({ at }) => at + stepMs > from)
      .reduce((sum, { upOf }) => sum + (upOf.get(tenant) ?? 0), 0);
  }

  /** Of what was given out of the cache in the last quarter of an hour, in ms. */
  oldestServed(system: string): number | undefined {
    const ages = this.#steps.map(({ oldestOf }) => oldestOf.get(system)).filter((age) => age !== undefined);
    return ages.length === 0 ? undefined : Math.max(...ages);
  }

  caller(name: string): CallerCount {
    const { calls = 0, reads = 0, writes = 0, outcomes = noOutcomes, lastAt } = this.#callers.get(name) ?? {};
    return {
      calls,
      reads,
      writes,
      outcomes,
      ...(lastAt !== undefined && { lastAt: new Date(lastAt).toISOString() }),
    };
  }

  system(id: string): SystemCount {
    const { calls = 0, up = 0, saved = 0 } = this.#systems.get(id) ?? {};
    return { calls, up, saved };
  }

  /** Where a single read said something else than the list pages. */
  differenceOf(system: string): Difference | undefined {
    return this.#differences.get(system);
  }

  #noteDifference({ facts: { system = '', resourceType = '' } = {} }: Observed): void {
    const at = new Date(this.#now()).toISOString();
    this.#differences.set(system, { at, detail: resourceType });
  }

  #countUp({ upstream = {} }: Observed): void {
    const { tenant = '', system } = upstream;
    const step = this.#step();
    step.up += 1;
    step.upOf.set(tenant, (step.upOf.get(tenant) ?? 0) + 1);
    const count = system === undefined ? undefined : countOf(this.#systems, system);
    if (count) count.up += 1;
  }

  #countCall(event: string, { actor, op = {}, cache = {}, outcome }: Observed, ms: number): void {
    const step = this.#step();
    const ending = classOf({ status: outcome?.http, result: outcome?.result });
    const isRead = op.effect === 'read';
    const isHit =
      event === 'request.cache_hit' || ['hit', 'stale', 'snapshot', 'collapsed'].includes(cache.result ?? '');
    step.outcomes[ending] += 1;
    step.latencies[bucketOf(ms)] = (step.latencies[bucketOf(ms)] ?? 0) + 1;
    step.maxMs = Math.max(step.maxMs, ms);
    if (isRead) step.reads += 1;
    if (isRead && isHit) step.hits += 1;
    const { system = '' } = op;
    if (cache.ageMs !== undefined)
      step.oldestOf.set(system, Math.max(cache.ageMs, step.oldestOf.get(system) ?? 0));
    const counts = [
      actor?.name === undefined ? undefined : countOf(this.#callers, actor.name),
      system === '' ? undefined : countOf(this.#systems, system),
    ];
    for (const count of counts) {
      if (!count) continue;
      count.calls += 1;
      count.lastAt = this.#now();
      count.outcomes = { ...count.outcomes, [ending]: count.outcomes[ending] + 1 };
      if (isRead) count.reads += 1;
      if (op.effect === 'write') count.writes += 1;
      if (isRead && isHit) count.saved += 1;
    }
  }

  #step(): Step {
    const at = this.#startOf(this.#now());
    const last = this.#steps.at(-1);
    if (last?.at === at) return last;
    const step: Step = {
      at,
      outcomes: { ...noOutcomes },
      latencies: new Uint32Array(bounds.length + 1),
      upOf: new Map(),
      oldestOf: new Map(),
      maxMs: 0,
      hits: 0,
      reads: 0,
      up: 0,
    };
    this.#steps.push(step);
    if (this.#steps.length > keptSteps) this.#steps.shift();
    return step;
  }

  #startOf(at: number): number {
    return Math.floor(at / stepMs) * stepMs;
  }
}

/** A name that the configuration does not know must not fill the memory. */
function countOf(counts: Map<string, Count>, name: string): Count | undefined {
  if (!counts.has(name) && counts.size >= mostNames) return undefined;
  return counts.getOrInsertComputed(name, () => ({
    calls: 0,
    reads: 0,
    writes: 0,
    up: 0,
    saved: 0,
    lastAt: 0,
    outcomes: noOutcomes,
  }));
}

function add(some: Outcomes, other: Outcomes): Outcomes {
  return {
    answered: some.answered + other.answered,
    refused: some.refused + other.refused,
    failed: some.failed + other.failed,
    unknown: some.unknown + other.unknown,
  };
}

function bucketOf(ms: number): number {
  const found = bounds.findIndex((bound) => ms <= bound);
  return found === -1 ? bounds.length : found;
}

function latencyOf(steps: readonly Step[]): Overview['latency'] {
  const counts = new Float64Array(bounds.length + 1);
  for (const { latencies } of steps)
    for (const [at, count] of latencies.entries()) counts[at] = (counts[at] ?? 0) + count;
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const max = Math.max(...steps.map(({ maxMs }) => maxMs));
  const quantile = (share: number): number => {
    let seen = 0;
    for (const [at, count] of counts.entries()) {
      seen += count;
      if (seen >= share * total) return Math.min(max, bounds[at] ?? max);
    }
    return max;
  };
  const round = (ms: number): number => Math.round(ms * 10) / 10;
  return {
    p50: round(quantile(0.5)),
    p90: round(quantile(0.9)),
    p99: round(quantile(0.99)),
    max: round(max),
  };
}
