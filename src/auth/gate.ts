/**
 * A gate for expensive work: some runs at once, some waiting, the rest refused.
 * Whoever is let in leaves again, also when the work fails.
 */
import { ScimError } from '../scim/error.ts';

export interface Gate {
  <T>(work: () => Promise<T>): Promise<T>;
}

export function createGate(atOnce: number, mayWait: number): Gate {
  const waiting: (() => void)[] = [];
  let running = 0;

  const enter = async (): Promise<void> => {
    if (running < atOnce) {
      running += 1;
      return;
    }
    if (waiting.length >= mayWait)
      throw new ScimError('busy', 'Too many log-ons are being checked.', { retryAfter: 1, why: 'log-ons' });
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(resolve);
    await promise;
  };
  // A place is handed over, not freed and taken again, so that nobody can slip in between.
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  };

  return async (work) => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
