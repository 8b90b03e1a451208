/**
 * The callers of the workloads: workers that each make one call after the other, and what they see. A call that is not
 * answered after a minute, is refused (429) or fails (5xx, connection) is made again three times, a second apart, and then
 * counts as a failed operation. All times are the tenant's.
 */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Entrance } from './entrance.ts';

export const workers = 16;
/** SAP IDM's read timeout (facts: IPS 6.1), and the wait of SailPoint (facts: IPS 7). */
export const timeoutSeconds = 60;
export const repeats = 3;
export const pauseSeconds = 1;

export interface Answer {
  readonly status: number;
  readonly body: string;
  /** Whether an earlier attempt may have been carried out. */
  readonly repeated: boolean;
}

/** What the callers of one workload saw. */
export class Tally {
  operations = 0;
  refused = 0;
  failed = 0;
  /** Of operations, in the tenant's seconds. */
  waited = 0;
  longest = 0;
}

/** Where they call, and how much faster the clock runs there. */
export interface Called extends Entrance {
  readonly factor: number;
}

/** One worker's view of the tenant: it stays with one replica. */
export class Caller {
  readonly tally: Tally;
  readonly #way: Called;
  readonly #base: string;
  readonly #agent: http.Agent;

  constructor(way: Called, worker: number, tally: Tally, agent: http.Agent) {
    this.tally = tally;
    this.#way = way;
    this.#base = way.bases[worker % way.bases.length] ?? '';
    this.#agent = agent;
  }

  get<T>(path: string): Promise<T | undefined> {
    return this.operation(async () => {
      const answer = await this.ask('GET', path);
      return answer?.status === 200 ? (JSON.parse(answer.body) as T) : undefined;
    });
  }

  /** Counts what work does as one operation, which has failed when it gives undefined. */
  async operation<T>(work: () => Promise<T | undefined>): Promise<T | undefined> {
    const startedAt = performance.now();
    const result = await work();
    const seconds = ((performance.now() - startedAt) * this.#way.factor) / 1000;
    this.tally.operations += 1;
    this.tally.waited += seconds;
    this.tally.longest = Math.max(this.tally.longest, seconds);
    if (result === undefined) this.tally.failed += 1;
    return result;
  }

  /** One call with its repeats; undefined when none of them was answered. */
  async ask(method: string, path: string, body?: unknown): Promise<Answer | undefined> {
    for (let attempt = 0; attempt <= repeats; attempt += 1) {
      if (attempt > 0) await sleep((pauseSeconds * 1000) / this.#way.factor);
      const answer = await this.#send(method, path, body === undefined ? '' : JSON.stringify(body));
      if (answer?.status === 429) this.tally.refused += 1;
      else if (answer && answer.status < 500) return { ...answer, repeated: attempt > 0 };
    }
    return undefined;
  }

  #send(method: string, path: string, body: string): Promise<{ status: number; body: string } | undefined> {
    const { promise, resolve } = Promise.withResolvers<{ status: number; body: string } | undefined>();
    const headers = {
      authorization: this.#way.authorization,
      ...(body && { 'content-type': 'application/scim+json', 'content-length': Buffer.byteLength(body) }),
    };
    const signal = AbortSignal.timeout((timeoutSeconds * 1000) / this.#way.factor);
    const fail = (): void => resolve(undefined);
    http
      .request(this.#base + path, { method, agent: this.#agent, headers, signal }, (response) => {
        const parts: Buffer[] = [];
        response
          .on('data', (part: Buffer) => parts.push(part))
          .once('error', fail)
          .once('end', () =>
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }),
          );
      })
      .once('error', fail)
      .end(body);
    return promise;
  }
}

export interface Crew extends Disposable {
  readonly tally: Tally;
  /** Each of the workers takes the next task as soon as it has done one. */
  each<T>(tasks: Iterable<T>, work: (caller: Caller, task: T) => Promise<unknown>): Promise<void>;
  readonly first: Caller;
}

export function gather(way: Called): Crew {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 2 * workers });
  const tally = new Tally();
  const callers = Array.from({ length: workers }, (_, worker) => new Caller(way, worker, tally, agent));
  return {
    tally,
    first: new Caller(way, 0, tally, agent),
    async each(tasks, work) {
      const rest = Iterator.from(tasks);
      const run = async (caller: Caller): Promise<void> => {
        for (const task of rest) await work(caller, task);
      };
      await Promise.all(callers.map(run));
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}
