/** How safe what is kept is: the trail, and what the cache remembers. */
import type { SecurityCheck } from '../console/api/security.ts';
import type { Config } from './config.ts';
import { check, type Found } from './security-check.ts';

export function auditChecks({ audit }: Config): SecurityCheck[] {
  const { mode, witness, destinations, revealKeys } = audit;
  const of = (name: 'mode' | 'witness' | 'destinations' | 'revealKeys', found: Found): SecurityCheck =>
    check({ area: 'audit', about: `audit.${name}`, setting: `audit.${name}`, found });
  const hasCopies = Object.keys(destinations).length > 0;
  return [
    of('mode', mode === 'fail-closed' ? ['good', 'audit.mode.closed'] : ['advice', 'audit.mode.open']),
    of('witness', witness ? ['good', 'audit.witness.given'] : ['advice', 'audit.witness.none']),
    of(
      'destinations',
      hasCopies ? ['good', 'audit.destinations.given'] : ['advice', 'audit.destinations.none'],
    ),
    of('revealKeys', revealersOf(revealKeys?.length ?? 0)),
  ];
}

function revealersOf(keys: number): Found {
  if (keys === 0) return ['good', 'audit.revealKeys.none'];
  return keys === 1 ? ['advice', 'audit.revealKeys.one'] : ['good', 'audit.revealKeys.two'];
}

export function cacheChecks({ cache }: Config): SecurityCheck[] {
  const of = (about: 'cache.store' | 'cache.keys' | 'cache.redis.tls', setting: string, found: Found) =>
    check({ area: 'cache', about, setting, found });
  if (cache.store === 'memory') return [of('cache.store', 'cache.store', ['good', 'cache.store.memory'])];
  return [
    of(
      'cache.keys',
      'cache.keys',
      cache.keys ? ['good', 'cache.keys.own'] : ['advice', 'cache.keys.derived'],
    ),
    of(
      'cache.redis.tls',
      'cache.redis',
      cache.redis?.tls ? ['good', 'cache.redis.tls.encrypted'] : ['advice', 'cache.redis.tls.plain'],
    ),
  ];
}
