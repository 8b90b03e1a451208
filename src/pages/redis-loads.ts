/**
 * Where loads stand, for all replicas: what happens at a place is a stream in Redis, which everybody reads in the one order
 * that Redis gives it, without scripts. Names are MACs and what came is sealed: who reads Redis learns of nobody, and what no
 * replica has written says nothing.
 */
import { createHmac, randomUUID } from 'node:crypto';

import { RedisCircuit, type RedisCircuitOptions } from '../redis-circuit.ts';
import { livesMs, type Loads } from './loads.ts';
import { arrive, inDoubt, leave, type Position, type Standing } from './position.ts';

/** Apart from the prefixes of all else. Each place has a hash tag of its own, so that a Cluster spreads them. */
const prefix = 'gl1:';
/** Events of one place; where there may have been more, nobody knows who else stands there. */
const mostEvents = 64;
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
interface Told extends Omit<Position, 'given' | 'isHere'> {
  readonly given: readonly string[];
  readonly until: number;
  /** The replica that gave the page before. */
  readonly by: string;
}

/** `came` with an arrival, or `left`. */
type Event = readonly [id: string, [kind: string, value: string]];

interface History {
  readonly standing: Standing | undefined;
  readonly until: number;
  /** Events without which the others say the same. */
  readonly past: readonly string[];
}

export class RedisLoads implements Loads, Disposable {
  readonly #circuit: RedisCircuit;
  readonly #key: Buffer;
  readonly #seal: PlaceSeal;
  readonly #now: () => number;
  readonly #id = randomUUID();

  constructor({ key, seal, now = Date.now, ...options }: Options) {
    this.#circuit = new RedisCircuit({ ...options, probeKey: `${prefix}{probe}` });
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
    const replies = await this.#circuit.ask((pipeline) =>
      pipeline
        .xadd(key, 'NOMKSTREAM', 'MAXLEN', mostEvents, '*', 'left', '')
        .xrange(key, '-', '+', 'COUNT', mostEvents),
    );
    if (!replies) return undefined;
    const [own, events] = replies.values as [string | null, Event[]];
    const history = this.#read(key, own === null ? [] : events, own);
    if (!history?.standing || history.until <= this.#now()) return undefined;
    if (history.past.length >= manyPast)
      void this.#circuit.ask((pipeline) => pipeline.xdel(key, ...history.past));
    const { position } = history.standing;
    return events.length < mostEvents ? position : inDoubt(position);
  }

  /**
   * Without an answer of Redis it may be found all the same, even later, and whoever finds it must have been given what it
   * says. So only what was never sent is no place.
   */
  async expect(load: string, startIndex: number, position: Position): Promise<boolean> {
    if (!this.#circuit.isOpen) return false;
    const key = this.#keyOf(load, startIndex);
    const came = this.#close(key, { position, until: this.#now() + livesMs });
    await this.#circuit.ask((pipeline) =>
      pipeline.xadd(key, 'MAXLEN', mostEvents, '*', 'came', came).pexpire(key, livesMs),
    );
    return true;
  }

  [Symbol.dispose](): void {
    this.#circuit[Symbol.dispose]();
  }

  /** Undefined where something stands that no replica has written. */
  #read(key: string, events: readonly Event[], own: string | null): History | undefined {
    let standing: Standing | undefined;
    let until = 0;
    const past: string[] = [];
    const current: string[] = [];
    for (const [id, [kind, value]] of events) {
      const isFree = (standing?.waiting ?? 0) === 0;
      if (kind !== 'came') {
        (isFree ? past : current).push(id);
        if (id === own) break;
        standing &&= leave(standing);
        continue;
      }
      const arrival = this.#open(key, value);
      if (!arrival) return undefined;
      if (isFree) past.push(...current.splice(0));
      current.push(id);
      standing = arrive(standing, arrival.position);
      ({ until } = arrival);
    }
    return { standing, until, past };
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
    const { until, by, given, ...others } = JSON.parse(plain.toString('utf8')) as Told;
    return { position: { ...others, given: new Set(given), isHere: by === this.#id }, until };
  }

  #keyOf(load: string, startIndex: number): string {
    const name = JSON.stringify([load, startIndex]);
    return `${prefix}{${createHmac('sha256', this.#key).update(name).digest('base64url')}}`;
  }
}
