/**
 * The notes in Redis. Names and values carry a MAC: who can write to Redis learns of nobody there, and makes no replica
 * believe what no replica has seen.
 */
import { createHmac } from 'node:crypto';

import { RedisCircuit, type RedisCircuitOptions } from '../redis-circuit.ts';
import type { Noted, Notes } from './notes.ts';

/** Apart from the prefixes of the others. One hash tag, so that a Cluster keeps what one pipeline touches on one node. */
const prefix = 'gp1:{profiles}:';
/** Two are enough to know that there is not one. */
const mostRead = 2;
/** In one round trip, which a budget bounds. */
const mostAtOnce = 200;

export class RedisNotes implements Notes, Disposable {
  readonly #circuit: RedisCircuit;
  readonly #key: Buffer;

  /** @param key the same on all replicas */
  constructor({ key, ...options }: Omit<RedisCircuitOptions, 'probeKey'> & { readonly key: Buffer }) {
    this.#key = key;
    this.#circuit = new RedisCircuit({ ...options, probeKey: `${prefix}probe` });
  }

  async add(notes: readonly Noted[], lifetimeMs: number): Promise<boolean> {
    for (const some of inPieces(notes)) {
      const replies = await this.#circuit.ask((pipeline) => {
        for (const { name, value } of some) {
          const key = this.#keyOf(name);
          pipeline.zadd(key, 0, this.#proven(name, value)).pexpire(key, lifetimeMs);
        }
        return pipeline;
      });
      if (!replies) return false;
    }
    return true;
  }

  async read(names: readonly string[]): Promise<readonly (readonly string[])[] | undefined> {
    const found: string[][] = [];
    for (const some of inPieces(names)) {
      const replies = await this.#circuit.ask((pipeline) => {
        for (const name of some)
          pipeline.zrangebyscore(this.#keyOf(name), '-inf', '+inf', 'LIMIT', 0, mostRead);
        return pipeline;
      });
      if (!replies) return undefined;
      const members = replies.values as string[][];
      found.push(...some.map((name, at) => this.#believed(name, members[at] ?? [])));
    }
    return found;
  }

  [Symbol.dispose](): void {
    this.#circuit[Symbol.dispose]();
  }

  #keyOf(name: string): string {
    return prefix + this.#mac(['name', name]);
  }

  #believed(name: string, members: readonly string[]): string[] {
    const values = members.map((member) => member.slice(0, Math.max(0, member.lastIndexOf('.'))));
    return values.filter((value, at) => this.#proven(name, value) === members[at]);
  }

  #proven(name: string, value: string): string {
    return `${value}.${this.#mac(['value', name, value])}`;
  }

  #mac(parts: readonly string[]): string {
    return createHmac('sha256', this.#key).update(JSON.stringify(parts)).digest('base64url').slice(0, 32);
  }
}

function inPieces<T>(all: readonly T[]): T[][] {
  const count = Math.ceil(all.length / mostAtOnce);
  return Array.from({ length: count }, (_, at) => all.slice(at * mostAtOnce, (at + 1) * mostAtOnce));
}
