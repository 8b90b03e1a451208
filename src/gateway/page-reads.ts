/**
 * How a read goes through pages and cache to the tenant, and how the gateway asks ahead of a caller. What nobody has
 * asked for takes a turn only where it is to be had at once, and has records of its own.
 */
import type { Trail } from '../audit/trail.ts';
import type { Cache, CacheAnswer, CacheAsk } from '../cache/cache.ts';
import type { AskTenant } from '../pages/memory.ts';
import type { Pages } from '../pages/pages.ts';
import { ScimError } from '../scim/error.ts';
import type { GroupUpdates } from '../writes/updates.ts';
import { ask } from './ask.ts';
import { isIdle, ownEntry, patienceFor, sparePatience } from './own-calls.ts';
import type { Asked, System } from './place.ts';

export interface ReadParts {
  readonly cache: Cache;
  readonly pages: Pages;
  readonly updates: GroupUpdates;
  readonly trail: Trail;
  readonly patienceMs: number;
}

export function readThrough(
  { cache, pages, trail, patienceMs }: ReadParts,
  { route, pages: settings }: Pick<System, 'route' | 'pages'>,
  cacheAsk: CacheAsk,
  asked: Asked,
): Promise<CacheAnswer> {
  let leftMs = patienceMs;
  // A flight may be shared, so it does not end when the caller who began it leaves.
  const askTenant: AskTenant = (operation, onSent) => {
    const patience = patienceFor(leftMs);
    const sent = (): void => {
      // Patience is for the turn: what a block takes at the tenant is not taken from the small page after it.
      leftMs = Math.max(0, Math.floor(patience.until - performance.now()));
      onSent();
    };
    return ask(route, { ...asked, operation, patience, onSent: sent });
  };
  const askAhead: AskTenant = (operation, onSent) => {
    const question = { ...asked, caller: 'gateway', entry: ownEntry(trail, 'prefetch'), operation, onSent };
    return ask(route, { ...question, patience: sparePatience() }).catch(orLeave);
  };
  const { mayServe, maxAgeMs, mayKeep, rules } = cacheAsk;
  return pages.read({
    caller: asked.caller,
    operation: asked.operation,
    scope: cacheAsk.scope,
    origin: cacheAsk.origin,
    accept: cacheAsk.accept ?? '',
    mayServe: mayServe && maxAgeMs > 0 && mayKeep && rules.lifetimeMs > 0,
    settings,
    memory: {
      read: (operation, scope, fetch) => cache.read(operation, { ...cacheAsk, scope }, fetch),
      recall: (operation, scope) => cache.recall(operation, { ...cacheAsk, scope }),
    },
    askTenant,
    foresee: () => (isIdle(route.pacer.state) ? askAhead : undefined),
  });
}

/** There is no turn after all. A caller that came to share this read takes it over, as from a caller that has left. */
function orLeave(cause: unknown): never {
  if (!(cause instanceof ScimError && cause.kind === 'busy')) throw cause;
  throw new ScimError('caller-left', 'Nobody waits for this.', { cause });
}
