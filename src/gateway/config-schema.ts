/**
 * The shape of the configuration file: every key with its default and its meaning. The file that editors
 * complete from and docs/configuration.md are generated from here, so a key without a description is a fault.
 */
import { z } from 'zod';

import { alerts } from './config-alerts.ts';
import { audit } from './config-audit.ts';
import { cache } from './config-cache.ts';
import { caller, callerName } from './config-callers.ts';
import { guard } from './config-guard.ts';
import { oauth } from './config-issuers.ts';
import { admin, health, listen, listeners } from './config-listeners.ts';
import { privatePath, type References } from './config-references.ts';
import { system, systemId } from './config-systems.ts';
import { tenant, tenantName } from './config-tenants.ts';
import { count, duration, secureUrl, size } from './config-values.ts';

/** Built for each parse, because references are read while parsing; `references` never shapes the schema itself. */
export function createConfigSchema(references: References) {
  return z
    .strictObject({
      publicUrl: secureUrl()
        .optional()
        .describe(
          'The address under which callers reach the gateway; links in replies (`meta.location`, `$ref`, `Location`) name it. ' +
            'May be left out when the listener is on a loopback address: then it is the listener’s own.',
        ),
      listen: listen(references),
      listeners: listeners(references),
      admin: admin(references),
      health: health(),
      replicas: count(1, 64)
        .default(1)
        .describe(
          'The most gateways that share the tenants’ quota. With `cache.store: redis` they draw on it together; otherwise each keeps to its part.',
        ),
      patience: duration({ min: '100ms', max: '10m' })
        .prefault('50s')
        .describe('How long a call may wait for its turn at the tenant before it is refused with 429.'),
      limits: limits(),
      log: z
        .strictObject({
          level: z
            .enum(['error', 'warn', 'info', 'debug'])
            .default('info')
            .describe('Least severity that is written to the operational log.'),
        })
        .prefault({})
        .describe(
          'The operational log (standard output, one JSON object per line). It is not the audit trail.',
        ),
      audit: audit(references),
      alerts: alerts(references),
      cache: cache(references),
      guard: guard(),
      secretsFile: privatePath(references)
        .prefault('../var/secrets.yaml')
        .describe(
          'File with the hashes of the technical users’ secrets, at most two each. `gatehouse secret` makes them.',
        ),
      firstStart: z
        .strictObject({
          generateSecrets: z
            .boolean()
            .default(false)
            .describe(
              'Generate a secret for every technical user that has none, show it once and keep its hash.',
            ),
        })
        .prefault({})
        .describe('What happens at the first start.'),
      oauth: oauth(references, callerName),
      callers: entries(callerName(), caller(references)).describe(
        'The technical users that may call, by name, and what each may do.',
      ),
      tenants: entries(tenantName(), tenant(references)).describe(
        'The Identity Provisioning tenants behind the gateway, by a name of your choice.',
      ),
      systems: entries(systemId(), system()).describe(
        'The proxy systems, by the id that callers use in the path.',
      ),
    })
    .describe('Configuration of the Gatehouse gateway');
}

/** A map with at least one entry: without callers, tenants or systems no call could succeed. */
function entries<Value extends z.ZodType>(key: z.ZodString, value: Value) {
  return z
    .record(key, value)
    .refine((map) => Object.keys(map).length > 0, { error: 'must have at least one entry' })
    .meta({ minProperties: 1 });
}

function limits() {
  return z
    .strictObject({
      body: size({ min: '1KiB', max: '256MiB' }).prefault('8MiB').describe('Largest body of a call.'),
      tokens: count(100, 100_000_000).default(1_000_000).describe('Most JSON tokens in the body of a call.'),
      depth: count(4, 1000).default(32).describe('Deepest nesting of the JSON in the body of a call.'),
      reply: size({ min: '1KiB', max: '1GiB' })
        .prefault('64MiB')
        .describe('Largest body of a tenant’s reply.'),
      headersTime: duration({ min: '100ms', max: '1m' })
        .prefault('10s')
        .describe('Time to receive the head of a call, and before it for the TLS handshake.'),
      bodyTime: duration({ min: '100ms', max: '10m' })
        .prefault('10s')
        .describe('Time to receive the body of a call.'),
      idleTime: duration({ min: '1s', max: '10m' })
        .prefault('65s')
        .describe(
          'How long a connection may lie idle: between two calls, or while its caller takes nothing of a reply. ' +
            'Longer than a load balancer in front keeps it.',
        ),
      headers: count(8, 1000).default(64).describe('Most header fields of a call.'),
      target: count(256, 16_384).default(4096).describe('Longest request target (path and query) in bytes.'),
    })
    .prefault({})
    .describe('Limits of calls and replies.');
}

/** What the schema gives: numbers and secrets instead of notations and references, defaults filled in. */
export type ParsedConfig = z.output<ReturnType<typeof createConfigSchema>>;
/** What the file may contain; tests and the demonstration build it in memory. */
export type ConfigDocument = z.input<ReturnType<typeof createConfigSchema>>;
