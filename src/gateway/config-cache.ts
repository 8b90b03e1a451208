/**
 * The shape of what the configuration says about remembered replies: where they are kept, how they are sealed there, and
 * what each system allows. Same rules as config-schema.ts.
 */
import { z } from 'zod';

import { certificates } from './config-certificates.ts';
import { entriesOf, type Draft, type Refuse } from './config-draft.ts';
import { confidentialUrl, secret, unreadable, type References } from './config-references.ts';
import type { ParsedConfig } from './config-schema.ts';
import { count, duration, refuse, size } from './config-values.ts';
import type { Secret } from './secret.ts';

const lifetime = () => duration({ min: '1s', max: '24h' });

export function cache(references: References) {
  return z
    .strictObject({
      store: z
        .enum(['memory', 'redis'])
        .default('memory')
        .describe(
          'Where replies are remembered. With `redis` gateways share there also the quota and which log-ons have failed. ' +
            'Several `replicas` remember nothing in `memory`.',
        ),
      memory: z
        .strictObject({
          size: size({ min: '1MiB', max: '64GiB' })
            .prefault('256MiB')
            .describe('Most memory for remembered replies.'),
        })
        .prefault({})
        .describe('The store in the gateway’s own memory.'),
      redis: redis(references)
        .optional()
        .describe(
          'The store in Redis: one server (`url`), one that Sentinel watches (`sentinels`) or a Cluster (`cluster`). ' +
            'Required when `store` is `redis`.',
        ),
      keys: keys(references)
        .optional()
        .describe(
          'Keys that replies are encrypted with in Redis, one in a line (64 hexadecimal digits): the first encrypts, all of ' +
            'them decrypt. Default: one that is derived from `audit.keyFile`.',
        ),
      lifetime: lifetime()
        .prefault('60s')
        .describe('How long a reply may be remembered, unless a system says otherwise.'),
    })
    .prefault({})
    .describe('Remembered replies. A write through the gateway makes them stale at once.');
}

/** What one system's replies allow. */
export function systemCache() {
  return z
    .strictObject({
      enabled: z.boolean().default(true).describe('Remember replies of this system.'),
      lifetime: lifetime()
        .optional()
        .describe('How long a reply may be remembered. Default: `cache.lifetime`.'),
      staleWhileRevalidate: z
        .boolean()
        .default(false)
        .describe(
          'Answer with a reply past its lifetime while it is brought anew, so that nobody waits for the tenant.',
        ),
      staleOnError: z
        .boolean()
        .default(false)
        .describe('Answer with a reply past its lifetime when the tenant cannot be reached or fails.'),
      maxStale: lifetime()
        .prefault('5m')
        .describe(
          'How long past its lifetime a reply may still be told by these two. Writes end it earlier.',
        ),
      writeReplies: z
        .boolean()
        .optional()
        .describe(
          'Remembers what POST and PUT bring back as the single read that would follow, while probes find the two equal. ' +
            'Default: at systems of kind `ips`.',
        ),
      absenceLifetime: duration({ min: '0s', max: '60s' })
        .prefault('0s')
        .describe(
          'How long it may be remembered that a filter has found nothing; `0s`: not at all. What a filter has found is ' +
            'remembered for 60 s at most.',
        ),
      refreshesPerMinute: count(0, 10_000)
        .default(30)
        .describe(
          'How often a caller’s `Cache-Control: no-cache` or `max-age` may bring anew what is remembered and fresh; beyond ' +
            'it the remembered reply is the answer. Each of `replicas` keeps to its part.',
        ),
      scope: z
        .enum(['shared', 'caller'])
        .default('shared')
        .describe('Whether callers with the same rights share remembered replies, or each has its own.'),
    })
    .prefault({})
    .describe('What this system’s replies allow.');
}

function redis(references: References) {
  return z.strictObject({
    url: confidentialUrl(['redis:', 'rediss:'], references)
      .optional()
      .describe(
        'Address of one server: `redis://host:6379/0`, or `rediss://…` with TLS. With a password in it, as a reference.',
      ),
    sentinels: addresses()
      .optional()
      .describe('Sentinels that know which server is the primary: `host:port` of each.'),
    master: z.string().min(1).optional().describe('The name under which the Sentinels watch the primary.'),
    cluster: addresses()
      .optional()
      .describe('Some nodes of a Redis Cluster, `host:port` of each; they name the others.'),
    user: z
      .string()
      .min(1)
      .optional()
      .describe('The gateway’s user, with `sentinels` or `cluster`. Default: Redis’s own `default`.'),
    password: secret(references)
      .optional()
      .describe('Its password, as a reference. With `url` both are part of the address.'),
    sentinelUser: z
      .string()
      .min(1)
      .optional()
      .describe('The gateway’s user at the Sentinels. Default: their own `default`.'),
    sentinelPassword: secret(references)
      .optional()
      .describe('The password at the Sentinels, as a reference.'),
    tls: z
      .strictObject({
        ca: certificates(references)
          .optional()
          .describe(
            'PEM file with the certificate authorities that Redis’s certificates may come from. Default: those of Node.',
          ),
      })
      .optional()
      .describe(
        'TLS: to the Sentinels, the primary and the nodes of a Cluster when it is there, be it `{}`; to `url` when that is ' +
          '`rediss://…`.',
      ),
    budget: duration({ min: '1ms', max: '5s' })
      .prefault('50ms')
      .describe(
        'Longest time that one call waits for Redis in vain, whatever it asks there; then it goes on without.',
      ),
  });
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

function addresses() {
  return z
    .array(
      z
        .string()
        .meta({ title: 'address' })
        .transform((text, ctx): Address => {
          const { hostname = '', port = '', host } = URL.parse(`redis://${text}`) ?? {};
          // Only an address gives itself back: no user, path or query.
          if (port === '' || host !== text.toLowerCase())
            refuse(ctx, 'must be a host with its port, such as redis-1.example.com:6379');
          return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) };
        }),
    )
    .min(1);
}

function keys(references: References) {
  return secret(references).superRefine((text, ctx) => {
    if (text === unreadable) return;
    const lines = linesOf(text);
    if (lines.length === 0 || !lines.every((line) => /^[0-9a-f]{64}$/i.test(line)))
      refuse(
        ctx,
        'must hold one key in each line, of 64 hexadecimal digits',
        'make one with: openssl rand -hex 32',
      );
  });
}

/**
 * With which it is encrypted outside the process, the newest first.
 * @param own for where the configuration names none
 */
export function sealingKeys({ keys }: { readonly keys?: Secret | undefined }, own: Buffer): Buffer[] {
  return keys ? linesOf(keys).map((line) => Buffer.from(line, 'hex')) : [own];
}

function linesOf(text: Secret): string[] {
  return text
    .reveal()
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

const kindsOfRedis = ['url', 'sentinels', 'cluster'] as const;

export function checkCache(cache: Draft<ParsedConfig['cache']>, refuseAt: Refuse): void {
  const at = (...more: string[]) => ['cache', 'redis', ...more];
  const { store, redis: settings } = cache ?? {};
  if (store === 'redis' && !settings)
    refuseAt(at(), 'is missing although cache.store is redis', 'write cache.redis.url');
  const given = entriesOf(settings).flatMap(([key, value]) => (value === undefined ? [] : [key]));
  if (!settings || given.length === 0) return;
  const kinds = kindsOfRedis.filter((kind) => given.includes(kind));
  if (kinds.length !== 1)
    refuseAt(
      at(),
      kinds.length === 0 ? 'names no server' : `${kinds.join(' and ')} exclude each other`,
      'write one of: url, sentinels, cluster',
    );
  for (const [key, owners] of Object.entries(belongsTo))
    if (given.includes(key) && !owners.some((owner) => given.includes(owner)))
      refuseAt(at(key), `has no meaning without ${owners.join(' or ')}`, 'remove it');
  if (given.includes('sentinels') && !given.includes('master'))
    refuseAt(at('master'), 'is missing', 'write the name that the Sentinels know the primary by');
}

const belongsTo: Readonly<Record<string, readonly string[]>> = {
  master: ['sentinels'],
  sentinelUser: ['sentinels'],
  sentinelPassword: ['sentinels'],
  user: ['sentinels', 'cluster'],
  password: ['sentinels', 'cluster'],
};
