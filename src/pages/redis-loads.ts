/**
 * Where loads stand, for all replicas: what happens at a place is a stream in Redis, which everybody reads in the one order
 * that Redis gives it, without scripts. Names are MACs and what came is sealed: who reads Redis learns of nobody, and what no
 * replica has written says nothing.
 */
import { createHmac, randomUUID } from 'node:crypto';

import { type Compose, RedisCircuit, type RedisCircuitOptions } from '../redis-circuit.ts';
import { livesMs, type Loads } from './loads.ts';
import type { Position } from './position.ts';
import { historyOf, inDoubt, type PlaceEvent } from './standing.ts';

/** Apart from the prefixes of all else. Each place has a hash tag of its own, so that a Cluster spreads them. */
const prefix = 'gl1:';
/** For how long a page may be repeated that was asked for. */
const repeatsMs = 120_000;
/** Events of one place; where there may have been more, nobody knows who else stands there. */
const mostEvents = 64;
const mostOwed = 2000;
/** Events that say nothing any more are taken away so many at a time. */
const manyPast = 16;

/** Closes what leaves the process, bound to the name that it is kept under. */
export interface PlaceSeal {
  close(name: string, plain: Buffer): Buffer;
  open(name: string, sealed: Buffer): Buffer | undefined;
}

interface Options extends Omit<RedisCircuitOptions, 'probeKey' | 'now'> {
  /** The same on all replicas; names are made with it. */
  readonly key: Buffer;
  readonly seal: PlaceSeal;
  /** Wall-clock ms: how long a place may be believed is not Redis's to say. */
  readonly now?: () => number;
}

interface Arrival {
  readonly position: Position;
  readonly until: number;
}

/** An arrival as it is sealed. */
interface Told extends Omit<Position, 'tag' | 'given' | 'isHere'> {
  readonly tag?: string | undefined;
  readonly given: readonly string[];
  readonly until: number;
  /** The replica that gave the page before. */
  readonly by: string;
}

interface Owed {
  readonly compose: Compose;
  readonly at: number;
}

/** `came` with an arrival, `left` and `over` with nothing. */
type Entry = readonly [id: string, [kind: string, value: string]];

export class RedisLoads implements Loads, Disposable {
  readonly #redis: Options['redis'];
  readonly #circuit: RedisCircuit;
  readonly #key: Buffer;
  readonly #seal: PlaceSeal;
  readonly #now: () => number;
  readonly #id = randomUUID();
  /** What happened while there was no connection, in order. */
  readonly #owed: Owed[] = [];

  constructor({ key, seal, now = Date.now, ...options }: Options) {
    this.#redis = options.redis;
    this.#circuit = new RedisCircuit({ ...options, probeKey: `${prefix}{probe}` });
    this.#redis.on('ready', () => this.#pay());
    this.#key = key;
    this.#seal = seal;
    this.#now = now;
  }

  /** Behind the first page a load that is not known here may have been given something early, whose place was lost. */
  mayBegin(startIndex: number): boolean {
    return startIndex === 1 && this.#circuit.isOpen;
  }

  async at(load: string, startIndex: number): Promise<Position | undefined> {
    if (startIndex === 1) return undefined;
    const key = this.#keyOf(load, startIndex);
    const { isOpen } = this.#circuit;
    const replies = await this.#circuit.ask((pipeline) =>
      add(pipeline, key, 'left').pexpire(key, repeatsMs).xrange(key, '-', '+', 'COUNT', mostEvents),
    );
    if (!replies) {
      // On a connection that stands it was sent already, and may only be late.
      if (!isOpen || this.#redis.status !== 'ready')
        this.#sendUnheard((pipeline) => add(pipeline, key, 'left'));
      return undefined;
    }
    const [own, , entries] = replies.values as [string | null, number, Entry[]];
    const events = own === null ? undefined : this.#eventsUntil(key, own, entries);
    if (!events) return undefined;
    const { before, until, past } = historyOf(events);
    if (past.length >= manyPast) this.#tell((pipeline) => pipeline.xdel(key, ...past));
    if (!before || until <= this.#now()) return undefined;
    const from = this.#keyOf(load, before.position.from);
    this.#tell((pipeline) => add(pipeline, from, 'over'));
    return entries.length < mostEvents ? before.position : inDoubt(before.position);
  }

  /**
   * Without an answer of Redis it may be found all the same, even later, and whoever finds it must have been given what it
   * says. So only what was never sent is no place.
   */
  async expect(load: string, startIndex: number, position: Position): Promise<boolean> {
    const key = this.#keyOf(load, startIndex);
    if (!this.#circuit.isOpen) {
      // What gives something early is not told now, and the page that is told instead comes here itself.
      if (position.tag === undefined) this.#sendUnheard(this.#coming(key, position));
      return false;
    }
    const replies = await this.#circuit.ask(this.#coming(key, position));
    if (!replies && this.#redis.status !== 'ready') this.#sendUnheard(this.#coming(key, inDoubt(position)));
    return true;
  }

  [Symbol.dispose](): void {
    this.#circuit[Symbol.dispose]();
  }

  /** Nobody waits for it: without it a place is believed for longer, and no longer than it lives. */
  #tell(compose: Compose): void {
    void this.#circuit.ask(compose);
  }

  /**
   * While Redis is slow or away: where a load has come that nobody knows of, an earlier one of the same caller must not be
   * believed to stand.
   */
  #sendUnheard(compose: Compose): void {
    if (this.#redis.status === 'ready') return this.#send(compose);
    this.#owed.push({ compose, at: this.#now() });
    if (this.#owed.length > mostOwed) this.#owed.shift();
  }

  #pay(): void {
    const oldest = this.#now() - livesMs;
    for (const { compose, at } of this.#owed.splice(0)) if (at > oldest) this.#send(compose);
  }

  #send(compose: Compose): void {
    // The circuit tells of a Redis that fails.
    compose(this.#redis.pipeline(), this.#now())
      .exec()
      .catch(() => undefined);
  }

  /** Undefined where something stands that no replica has written. */
  #eventsUntil(key: string, own: string, entries: readonly Entry[]): PlaceEvent[] | undefined {
    const events: PlaceEvent[] = [];
    for (const [id, [kind, value]] of entries) {
      const came = kind === 'came' ? this.#open(key, value) : undefined;
      if (kind === 'came' && !came) return undefined;
      events.push(came ? { id, kind: 'came', ...came } : { id, kind: kind === 'over' ? 'over' : 'left' });
      if (id === own) return events;
    }
    return undefined;
  }

  #coming(key: string, position: Position): Compose {
    const came = this.#close(key, { position, until: this.#now() + livesMs });
    return (pipeline) => pipeline.xadd(key, 'MAXLEN', mostEvents, '*', 'came', came).pexpire(key, livesMs);
  }

  #close(key: string, { position, until }: Arrival): string {
    const { isHere: _, given, ...others } = position;
    const told: Told = { ...others, given: [...given], until, by: this.#id };
    return this.#seal.close(key, Buffer.from(JSON.stringify(told))).toString('base64');
  }

  #open(key: string, value: string): Arrival | undefined {
    const plain = this.#seal.open(key, Buffer.from(value, 'base64'));
    if (!plain) return undefined;
    // Nobody else can have sealed it.
    const { until, by, tag, given, ...others } = JSON.parse(plain.toString('utf8')) as Told;
    return { position: { ...others, tag, given: new Set(given), isHere: by === this.#id }, until };
  }

  #keyOf(load: string, startIndex: number): string {
    const name = JSON.stringify([load, startIndex]);
    return `${prefix}{${createHmac('sha256', this.#key).update(name).digest('base64url')}}`;
  }
}

type Pipeline = Parameters<Compose>[0];

/** Only where somebody has come: nothing is to be known of other places. */
function add(pipeline: Pipeline, key: string, kind: 'left' | 'over'): Pipeline {
  return pipeline.xadd(key, 'NOMKSTREAM', 'MAXLEN', mostEvents, '*', kind, '');
}
