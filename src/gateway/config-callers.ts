/** The shape of a caller: its permissions, certificates and networks. Same rules as config-schema.ts. */
import { z } from 'zod';

import { certificateMatch } from './config-certificates.ts';
import { profile } from './config-profiles.ts';
import type { References } from './config-references.ts';
import { resourceType, systemId } from './config-systems.ts';
import { tenantName } from './config-tenants.ts';
import { count, name, network } from './config-values.ts';

const permissionNames = {
  proxy: 'Access Proxy System API',
  realTime: 'Access Real-Time Provisioning API',
  admin: 'Access Identity Provisioning Tenant Admin API',
} as const;

export const callerName = () => name('._@-', 'name of a technical user');
const attributeName = () =>
  name('_$-', 'name of an attribute').refine(
    // What every reply and every list consists of.
    (text) => !['schemas', 'id', 'meta', 'resources', 'operations'].includes(text.toLowerCase()),
    { error: 'cannot be kept from anybody: no reply is without it' },
  );

function allOr<T extends z.ZodType>(element: T) {
  const list = z.array(element).min(1);
  return z.union([z.literal('all'), list], { error: 'must be all, or a list with at least one entry' });
}

export function caller(references: References) {
  const sourceSystems = allOr(systemId()).describe('Ids of the source systems that may be named.');
  const proxy = z.strictObject({
    permission: z.literal(permissionNames.proxy).describe('Users and groups of proxy systems.'),
    systems: allOr(systemId()).describe('`all`, or the ids of the systems.'),
    resourceTypes: allOr(resourceType())
      .default('all')
      .describe('`all`, or names such as `Users`, `Groups`.'),
    access: z
      .array(z.enum(['read', 'write']))
      .min(1)
      .describe('`read`, `write` or both.'),
    deniedAttributes: z
      .array(attributeName())
      .default([])
      .describe(
        'Attributes such as `emails` that are kept from the caller: not told, not asked for, not filtered by, not written.',
      ),
  });
  const realTime = z.strictObject({
    permission: z.literal(permissionNames.realTime).describe('Real-time provisioning of a source system.'),
    sourceSystems,
  });
  const admin = z.strictObject({
    permission: z.literal(permissionNames.admin).describe('Starting jobs and reading their logs.'),
    sourceSystems,
  });
  return z.strictObject({
    tenant: tenantName()
      .optional()
      .describe(
        'The tenant whose real-time and admin interfaces are meant: their paths name none. May be left out with one tenant.',
      ),
    permissions: z
      .array(z.discriminatedUnion('permission', [proxy, realTime, admin]))
      .min(1)
      .describe('What the technical user may do; what is not listed is refused.'),
    certificates: z
      .array(certificateMatch())
      .min(1)
      .optional()
      .describe(
        'Client certificates that stand for it, each by one of `sha256`, `spki`, `san`. Needs `listen.tls.clients`.',
      ),
    profile: profile(references),
    limits: limits(),
    sourceNetworks: z
      .array(network())
      .min(1)
      .optional()
      .describe(
        'Networks that it may call from, such as `10.20.0.0/16`: the address of the connection counts. Default: any.',
      ),
  });
}

function limits() {
  return z
    .strictObject({
      concurrency: count(1, 10_000)
        .default(200)
        .describe(
          'Calls of it at work in one gateway at the same time. More of them wait within `patience`, up to 200, before their ' +
            'bodies are read. The default is more than one tenant can serve within the default patience.',
        ),
      perMinute: count(1, 1_000_000)
        .optional()
        .describe(
          'Calls that may begin in a minute, evenly spread, a tenth of them at once; cached answers count too. ' +
            'More of them wait within `patience`. Each of `replicas` keeps to its part. Default: no limit.',
        ),
    })
    .prefault({})
    .describe('What it may take of the gateway, whatever it asks for.');
}
