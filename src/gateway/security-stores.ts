/** How safe what is kept is: the trail, and what the cache remembers. */
import { tmpdir } from 'node:os';
import { relative } from 'node:path';

import type { SecurityCheck } from '../console/api/security.ts';
import { isLoopback } from './config-values.ts';
import type { Config } from './config.ts';
import { check, type Found } from './security-check.ts';

/** What is emptied by a restart, by time, or by whoever comes along. */
const temporary: readonly string[] = [tmpdir(), '/tmp', '/var/tmp', '/dev/shm', '/run'];
/** In days. Below it somebody could wait until what he did is forgotten. */
const keptTooShort = 30;
const keptLongEnough = 90;

type Setting = 'mode' | 'witness' | 'destinations' | 'revealKeys' | 'directory' | 'keepDays';

export function auditChecks({ audit }: Config): SecurityCheck[] {
  const { mode, witness, destinations, revealKeys, directory, keepDays } = audit;
  const values = { directory, days: String(keepDays) };
  const of = (name: Setting, found: Found): SecurityCheck =>
    check({ area: 'audit', about: `audit.${name}`, setting: `audit.${name}`, found, values });
  const hasCopies = Object.keys(destinations).length > 0;
  return [
    of(
      'directory',
      temporary.some((place) => !relative(place, directory).startsWith('..'))
        ? ['danger', 'audit.directory.temporary']
        : ['good', 'audit.directory.lasting'],
    ),
    of('keepDays', keptFor(keepDays)),
    of('mode', mode === 'fail-closed' ? ['good', 'audit.mode.closed'] : ['advice', 'audit.mode.open']),
    of('witness', witness ? ['good', 'audit.witness.given'] : ['advice', 'audit.witness.none']),
    of(
      'destinations',
      hasCopies ? ['good', 'audit.destinations.given'] : ['advice', 'audit.destinations.none'],
    ),
    of('revealKeys', revealersOf(revealKeys?.length ?? 0)),
  ];
}

function keptFor(days: number | undefined): Found {
  if (days === undefined) return ['good', 'audit.keepDays.ever'];
  if (days >= keptLongEnough) return ['good', 'audit.keepDays.enough'];
  return [days < keptTooShort ? 'danger' : 'advice', 'audit.keepDays.short'];
}

function revealersOf(keys: number): Found {
  if (keys === 0) return ['good', 'audit.revealKeys.none'];
  return keys === 1 ? ['advice', 'audit.revealKeys.one'] : ['good', 'audit.revealKeys.two'];
}

export function cacheChecks({ cache, replicas }: Config): SecurityCheck[] {
  const of = (about: 'cache.store' | 'cache.keys' | 'cache.redis.tls', setting: string, found: Found) =>
    check({ area: 'cache', about, setting, found, values: { count: String(replicas) } });
  if (cache.store === 'memory' || !cache.redis)
    return [
      of(
        'cache.store',
        'cache.store',
        replicas > 1 ? ['danger', 'cache.store.apart'] : ['good', 'cache.store.memory'],
      ),
    ];
  return [
    of(
      'cache.keys',
      'cache.keys',
      cache.keys ? ['good', 'cache.keys.own'] : ['advice', 'cache.keys.derived'],
    ),
    of('cache.redis.tls', 'cache.redis', wayTo(cache.redis)),
  ];
}

/** With an address it is the scheme that says whether there is TLS, whatever `tls` says. */
function wayTo({ url, sentinels = [], cluster = [], tls }: NonNullable<Config['cache']['redis']>): Found {
  const address = URL.parse(url?.reveal() ?? '');
  if (address ? address.protocol === 'rediss:' : tls) return ['good', 'cache.redis.tls.encrypted'];
  const hosts = address ? [address.hostname] : [...sentinels, ...cluster].map(({ host }) => host);
  return hosts.every(isLoopback) ? ['good', 'cache.redis.tls.local'] : ['danger', 'cache.redis.tls.plain'];
}
