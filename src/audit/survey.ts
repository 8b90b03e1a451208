/**
 * What a period of the trail comes to: the figures and lists that the report shows. It reads each record once and keeps
 * bounded lists; what does not fit is counted, never dropped without a word.
 */
import type { Entry } from './entry.ts';
import { detailOf, happening, lengthOf, type Happening } from './happening.ts';
import { areaOf, factsOf, type RecordFacts } from './record-facts.ts';
import { footerEvent, headerEvent } from './segment-shape.ts';
import { sum, TimeSeries, type Counts } from './time-series.ts';

/** answered: below 500, a tenant's 404 too · refused: the gateway said no · failed: 500 or above, or given up · unknown: nobody knows. */
export type Class = 'answered' | 'refused' | 'failed' | 'unknown';
export const noCalls: Counts<Class> = { answered: 0, refused: 0, failed: 0, unknown: 0 };

export interface Refusal {
  readonly event: string;
  readonly who: string;
  readonly from: string;
  readonly reason: string;
  readonly firstAt: string;
  readonly lastAt: string;
  readonly count: number;
}

/** A list that takes only so many; the rest is a number. */
export class Bounded<T> {
  readonly #most: number;
  readonly items: T[] = [];
  more = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(item: T): void {
    if (this.items.length < this.#most) this.items.push(item);
    else this.more += 1;
  }
}

const mostListed = 500;
const mostNames = 1000;
export const others = '(others)';

interface InstanceState {
  lastTs: string;
  boot: string | undefined;
  configHash: string | undefined;
  version: string | undefined;
  lastReason: string | undefined;
}

export class Survey {
  readonly traffic = new TimeSeries<Class>(noCalls);
  readonly callers = new Map<string, Counts<Class>>();
  readonly systems = new Map<string, Counts<Class>>();
  readonly refusals = new Map<string, Refusal>();
  /** Silences, restarts and troubles of the trail itself. */
  readonly gaps = new Bounded<Happening>(mostListed);
  readonly changes = new Bounded<Happening>(mostListed);
  readonly reveals = new Bounded<Happening>(mostListed);
  records = 0;
  reads = 0;
  writes = 0;
  hits = 0;
  calls: Counts<Class> = noCalls;
  firstTs: string | undefined;
  lastTs: string | undefined;
  readonly #instances = new Map<string, InstanceState>();
  readonly #silenceMs: number;

  constructor(silenceMs: number) {
    this.#silenceMs = silenceMs;
  }

  take(entry: Entry): void {
    this.records += 1;
    this.firstTs ??= entry.ts;
    this.lastTs = entry.ts;
    this.#noteCourse(entry);
    const area = areaOf(entry.event);
    if (entry.event === 'audit.read') this.reveals.add(happening(entry, detailOf(entry)));
    else if (area === 'configuration' || area === 'lifecycle')
      this.changes.add(happening(entry, this.#changeDetail(entry)));
    if (entry.number('outcome', 'http') !== undefined && entry.event !== 'request.withheld')
      this.#countCall(entry);
    else if (warnings.has(entry.event)) this.#countRefusal(entry, factsOf(entry));
  }

  #countCall(entry: Entry): void {
    const facts = factsOf(entry);
    const found = classOf(facts);
    this.calls = sum(this.calls, { ...noCalls, [found]: 1 });
    this.traffic.add(Date.parse(entry.ts), found);
    count(this.callers, facts.caller ?? '(not identified)', found);
    count(this.systems, facts.system ?? '(none)', found);
    const effect = entry.text('op', 'effect');
    if (effect === 'read') this.reads += 1;
    if (effect === 'write') this.writes += 1;
    if (entry.event === 'request.cache_hit') this.hits += 1;
    if (found === 'refused') this.#countRefusal(entry, facts);
  }

  #countRefusal(entry: Entry, { caller, claimed, address, error }: RecordFacts): void {
    const { event, ts } = entry;
    const parts = {
      event,
      who: caller ?? claimed ?? '',
      from: address ?? entry.text('facts', 'network') ?? '',
      reason: error ?? '',
    };
    const known = `${event} ${parts.who} ${parts.from} ${parts.reason}`;
    const full = this.refusals.size >= mostNames && !this.refusals.has(known);
    const row = full ? { event, who: others, from: '', reason: '' } : parts;
    const key = full ? `${event} ${others}` : known;
    const before = this.refusals.get(key);
    const times = entry.number('facts', 'count') ?? 1;
    this.refusals.set(key, {
      ...row,
      firstAt: before?.firstAt ?? ts,
      lastAt: ts,
      count: (before?.count ?? 0) + times,
    });
  }

  /** How the instance's own course was: silences, restarts, segments that did not end as they should. */
  #noteCourse(entry: Entry): void {
    const { instance, event, ts } = entry;
    const state = this.#instances.getOrInsertComputed(instance, () => ({
      lastTs: ts,
      boot: undefined,
      configHash: undefined,
      version: undefined,
      lastReason: undefined,
    }));
    const silentMs = Date.parse(ts) - Date.parse(state.lastTs);
    if (silentMs > this.#silenceMs)
      this.#gap(entry, 'silence', `no record for ${lengthOf(silentMs)}, since ${state.lastTs}`);
    if (silentMs < -1000) this.#gap(entry, 'clock', `the clock went back by ${lengthOf(-silentMs)}`);
    state.lastTs = ts;
    if (event === headerEvent) this.#noteHeader(entry, state);
    if (event === footerEvent) state.lastReason = entry.text('reason');
    if (troubles.has(event)) this.#gap(entry, event, detailOf(entry));
  }

  #noteHeader(entry: Entry, state: InstanceState): void {
    const boot = entry.text('boot');
    const previous = entry.object('previous');
    if (previous?.['closed'] === false)
      this.#gap(
        entry,
        'segment without footer',
        `segment ${String(previous['segment'])} was given up at ${String(previous['bytes'])} bytes`,
      );
    if (state.boot !== undefined && boot !== state.boot) {
      const ended = { stopped: 'after an end in order', recovered: 'after a crash; the end was repaired' };
      const how = ended[state.lastReason as keyof typeof ended] ?? 'the process before left no footer';
      this.#gap(entry, 'restart', how);
    }
    state.boot = boot;
    state.configHash = entry.text('inst', 'configHash');
    state.version = entry.text('inst', 'version');
    state.lastReason = undefined;
  }

  #gap(entry: Entry, event: string, detail: string): void {
    this.gaps.add({ ...happening(entry, detail), event });
  }

  /** At a start the version and the configuration that came into force; the header before it says which. */
  #changeDetail(entry: Entry): string {
    const { version = '?', configHash = '?' } = this.#instances.get(entry.instance) ?? {};
    const isStart = entry.event === 'process.start';
    return isStart ? `version ${version}, configuration ${configHash.slice(0, 16)}` : detailOf(entry);
  }
}

const warnings = new Set([
  'authn.spray_suspected',
  'authn.success_after_failures',
  'mtls.rejected',
  'tls.handshake_failed',
  'proto.malformed',
  'proto.ambiguous',
  'proto.timeout',
  'proto.dropped',
]);
const troubles = new Set([
  'audit.failed',
  'audit.recovered',
  'audit.repaired',
  'audit.damage_accepted',
  'audit.segment_expired',
]);

/** Of a record that ends a call. A tenant that says no, such as 404 to a look-up, has answered. */
export function classOf({ status = 0, result }: Pick<RecordFacts, 'status' | 'result'>): Class {
  if (result === 'unknown') return 'unknown';
  if (result === 'denied') return 'refused';
  return status >= 500 || result === 'aborted' ? 'failed' : 'answered';
}

function count(map: Map<string, Counts<Class>>, name: string, found: Class): void {
  const key = map.has(name) || map.size < mostNames ? name : others;
  map.set(key, sum(map.get(key) ?? noCalls, { ...noCalls, [found]: 1 }));
}
