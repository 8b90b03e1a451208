/** The store of replicas that share none: in their own memory they would serve what another one's write has made old. */
import type { Store } from './store.ts';

export function createNoStore(): Store {
  return {
    look: () => Promise.resolve(undefined),
    put: () => undefined,
    drop: () => undefined,
    renew: () => Promise.resolve(),
    advance: () => Promise.resolve(undefined),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
