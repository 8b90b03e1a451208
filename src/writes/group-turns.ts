/**
 * One write of a group at a time, over all replicas: first in this process, then by a lease in Redis. A lease is renewed
 * while its write runs and ends by itself when its process has died; without Redis the process alone keeps order.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import type { RedisCircuit } from '../redis-circuit.ts';
import { ScimError } from '../scim/error.ts';

export interface TurnPatience {
  /** An instant of `performance.now()`. */
  readonly until: number;
  readonly signal: AbortSignal;
}

export interface GroupTurn extends AsyncDisposable {
  /** Whether the other replicas keep it, too. */
  readonly isShared: boolean;
}

const leaseMs = 15_000;
const renewMs = 5000;
const retryAfter = 2;

export class GroupTurns {
  readonly #circuit: RedisCircuit | undefined;
  readonly #tails = new Map<string, Promise<void>>();

  constructor(circuit: RedisCircuit | undefined) {
    this.#circuit = circuit;
  }

  /** @param key names the group and nobody; throws `busy` when the patience ends first */
  async take(key: string, patience: TurnPatience): Promise<GroupTurn> {
    await using ours = new AsyncDisposableStack();
    ours.defer(await this.#queue(key, patience));
    const lease = await this.#lease(key, patience);
    if (lease) ours.use(lease);
    const turn = ours.move();
    return { isShared: lease !== undefined, [Symbol.asyncDispose]: () => turn.disposeAsync() };
  }

  /** Who comes later waits for all before it, also for those that give up. */
  async #queue(key: string, patience: TurnPatience): Promise<() => void> {
    const before = this.#tails.get(key);
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const tail: Promise<void> = Promise.all([before, over]).then(() => this.#leave(key, tail));
    this.#tails.set(key, tail);
    try {
      await unlessOver(before, patience);
      return resolve;
    } catch (error) {
      resolve();
      throw error;
    }
  }

  #leave(key: string, tail: Promise<void>): void {
    if (this.#tails.get(key) === tail) this.#tails.delete(key);
  }

  async #lease(key: string, patience: TurnPatience): Promise<AsyncDisposable | undefined> {
    const owner = randomUUID();
    for (;;) {
      const askedAt = performance.now();
      const replies = await this.#circuit?.ask((pipeline) => pipeline.set(key, owner, 'PX', leaseMs, 'NX'));
      if (!replies) return undefined;
      if (replies.values[0] === 'OK') return this.#hold(key, askedAt);
      if (performance.now() >= patience.until || patience.signal.aborted) throw busy();
      await sleep(20 + Math.random() * 40);
    }
  }

  #hold(key: string, takenAt: number): AsyncDisposable {
    const circuit = this.#circuit;
    let ownUntil = takenAt + leaseMs;
    const renew = async (): Promise<void> => {
      const askedAt = performance.now();
      // Once it has lapsed the key may be another's.
      if (askedAt > ownUntil) return;
      const replies = await circuit?.ask((pipeline) => pipeline.pexpire(key, leaseMs));
      if (replies?.values[0] === 1) ownUntil = askedAt + leaseMs;
    };
    const timer = setInterval(() => void renew(), renewMs).unref();
    return {
      async [Symbol.asyncDispose]() {
        clearInterval(timer);
        if (performance.now() < ownUntil - renewMs) await circuit?.ask((pipeline) => pipeline.del(key));
      },
    };
  }
}

async function unlessOver(before: Promise<void> | undefined, { until, signal }: TurnPatience): Promise<void> {
  if (!before) return;
  const { promise: over, resolve } = Promise.withResolvers<boolean>();
  const end = (): void => resolve(true);
  const timer = setTimeout(end, Math.max(0, until - performance.now()));
  signal.addEventListener('abort', end, { once: true });
  try {
    if (signal.aborted || (await Promise.race([before.then(() => false), over]))) throw busy();
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

function busy(): ScimError {
  return new ScimError('busy', 'Other writes of this group are at work.', { retryAfter, why: 'group' });
}
