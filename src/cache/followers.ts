/**
 * Lets a forgetting wait a little until a replica of Redis has it too, because the next fail-over may promote that one. It
 * costs one short exchange between the two servers, and where no replica answers, one short wait a minute.
 */
import type { ChainableCommander } from 'ioredis';

export type Results = readonly (readonly [error: Error | null, result: unknown])[];

/** How long nobody waits after none has answered. */
const restMs = 60_000;

export class Followers {
  readonly #waitMs: number;
  readonly #now: () => number;
  /** Until when a place is taken to have none. */
  readonly #alone = new Map<string, number>();

  /** @param waitMs at most; everything else on the connection waits as long */
  constructor(waitMs: number, now: () => number) {
    this.#waitMs = waitMs;
    this.#now = now;
  }

  /** The results of the pipeline. That no replica has it is no fault: the debts of a lost connection are for that. */
  async exec(pipeline: ChainableCommander, place: string): Promise<Results> {
    if ((this.#alone.get(place) ?? 0) > this.#now()) return (await pipeline.exec()) ?? [];
    const results = (await pipeline.wait(1, this.#waitMs).exec()) ?? [];
    const [refused, replicas] = results.at(-1) ?? [];
    if (refused || replicas === 0) this.#alone.set(place, this.#now() + restMs);
    return results.slice(0, -1);
  }

  /** There may be others now. */
  forget(): void {
    this.#alone.clear();
  }
}
