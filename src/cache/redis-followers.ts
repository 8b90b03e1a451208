/**
 * Lets a forgetting wait until a replica of Redis has it too, because the next fail-over may promote that one. It costs one
 * exchange between the two servers. One that is late is not waited for again for a minute: a server ends such a wait late,
 * and everything else on the connection waits behind it.
 */
import type { ChainableCommander, Redis } from 'ioredis';

export type Results = readonly (readonly [error: Error | null, result: unknown])[];

const restMs = 60_000;
/** Each holds up the next on the connection. */
const mostAtOnce = 4;

export class Followers {
  readonly #waitMs: number;
  readonly #now: () => number;
  #areThere = false;
  /** Until when no replica of a place is waited for, because it was late. */
  readonly #restUntil = new Map<string, number>();
  #waiting = 0;

  constructor(waitMs: number, now: () => number) {
    this.#waitMs = waitMs;
    this.#now = now;
  }

  /**
   * Finds out whether there are replicas. On a connection that has written nothing yet the question is answered at once; later
   * only with those that have what was written last.
   */
  meet(connections: readonly Redis[]): void {
    this.#areThere = false;
    this.#restUntil.clear();
    for (const connection of connections)
      connection.wait(0, 1).then(
        (replicas) => (this.#areThere ||= replicas > 0),
        // A connection that is lost again is met again, and who may not ask does not wait.
        () => undefined,
      );
  }

  /** The results of the pipeline. That no replica has it is no fault: what a lost connection owes is for that. */
  async exec(pipeline: ChainableCommander, place: string): Promise<Results> {
    const isResting = (this.#restUntil.get(place) ?? 0) > this.#now();
    if (!this.#areThere || isResting || this.#waiting >= mostAtOnce) return (await pipeline.exec()) ?? [];
    this.#waiting += 1;
    try {
      const results = (await pipeline.wait(1, this.#waitMs).exec()) ?? [];
      const [refused, replicas] = results.at(-1) ?? [];
      if (refused || replicas === 0) this.#restUntil.set(place, this.#now() + restMs);
      return results.slice(0, -1);
    } finally {
      this.#waiting -= 1;
    }
  }
}
