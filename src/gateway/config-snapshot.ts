/**
 * The shape of what the configuration says about a system's snapshots, and what they need beside themselves. Same rules as
 * config-schema.ts.
 */
import { z } from 'zod';

import type { Draft, DraftConfig, Refuse } from './config-draft.ts';
import type { ParsedConfig } from './config-schema.ts';
import { count, duration, size } from './config-values.ts';

export function systemSnapshot() {
  return z
    .strictObject({
      enabled: z
        .boolean()
        .default(false)
        .describe('Answer lists without filter from a snapshot of the whole collection.'),
      full: duration({ min: '1s', max: '24h' })
        .prefault('1h')
        .describe('After so long the collection is read anew as a whole, with turns that nobody else wants.'),
      changes: duration({ min: '1s', max: '24h' })
        .prefault('5m')
        .describe(
          'How often resources that were changed elsewhere are asked for, where a probe found that the system can tell them.',
        ),
      maxAge: duration({ min: '1s', max: '24h' })
        .prefault('24h')
        .describe('An older snapshot, because no newer one could be made, is not shown any more.'),
      size: size({ min: '1MiB', max: '16GiB' })
        .prefault('256MiB')
        .describe('Most bytes of one type’s resources; a larger collection has no snapshot.'),
      defaultCount: count(1, 1_000_000)
        .default(25)
        .describe(
          'How many resources a list without `count` gets. More than there are, for callers that read no second page.',
        ),
    })
    .prefault({})
    .describe('Lists for callers that cannot cope with paging as Identity Provisioning does it.');
}

export function checkSnapshot(
  system: Draft<ParsedConfig['systems'][string]>,
  config: DraftConfig,
  refuse: (problem: string, remedy: string) => ReturnType<Refuse>,
): void {
  if (system?.snapshot?.enabled !== true) return;
  if (system.kind === 'scim') refuse('is for systems of kind ips only', 'remove it');
  if (system.cache?.scope === 'caller')
    refuse('would be shared by all callers', 'write cache.scope: shared, or remove it');
  const { cache, replicas = 1 } = config ?? {};
  if (replicas > 1 && cache?.store === 'memory')
    refuse('would not show what another replica has written', 'write cache.store: redis, or replicas: 1');
}
