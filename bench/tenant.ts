/** The tenant of `tenant-thread.ts`, as seen from the thread that measures. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

import { post } from '../src/thread.ts';

export interface Population {
  readonly users: number;
  readonly groups: number;
  /** How much faster than a real one its clock runs. */
  readonly factor: number;
  /** Whether it keeps IPS's limits; without them it takes as many calls as come. */
  readonly counted: boolean;
}

/** What it can be asked beside the line. */
export interface Answers {
  /** Calls that arrived, whatever became of them. */
  calls(): number;
  /** Ids of the users that it began with. */
  users(): string[];
  createGroup(displayName: string): string;
  members(group: string): string[];
  /** When each user was switched off, in ms since 1970; undefined for one that was not. */
  switchedOffAt(ids: readonly string[]): (number | undefined)[];
}

export interface Ask {
  readonly number: number;
  readonly name: keyof Answers;
  readonly given: readonly unknown[];
}

export class BenchTenant implements AsyncDisposable {
  readonly url: string;
  readonly #thread: Worker;
  readonly #waiting = new Map<number, (answer: unknown) => void>();
  #asked = 0;

  static async start(population: Population): Promise<BenchTenant> {
    const thread = new Worker(new URL('tenant-thread.ts', import.meta.url), { workerData: population });
    const [url]: string[] = await once(thread, 'message');
    return new BenchTenant(thread, url ?? '');
  }

  private constructor(thread: Worker, url: string) {
    this.url = url;
    this.#thread = thread;
    thread.on('message', ({ number, answer }: { number: number; answer: unknown }) => {
      this.#waiting.get(number)?.(answer);
      this.#waiting.delete(number);
    });
  }

  ask<Name extends keyof Answers>(
    name: Name,
    ...given: Parameters<Answers[Name]>
  ): Promise<ReturnType<Answers[Name]>> {
    const { promise, resolve } = Promise.withResolvers<ReturnType<Answers[Name]>>();
    this.#asked += 1;
    this.#waiting.set(this.#asked, (answer) => resolve(answer as ReturnType<Answers[Name]>));
    post(this.#thread, { number: this.#asked, name, given } satisfies Ask);
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#thread.terminate();
  }
}
