/**
 * The shape of the configuration file: every key with its default and its meaning. The file that editors
 * complete from and docs/configuration.md are generated from here, so a key without a description is a fault.
 */
import { z } from 'zod';

import {
  certificates,
  confidentialUrl,
  path,
  privatePath,
  secret,
  type References,
} from './config-references.ts';
import { count, duration, name, port, secureUrl, size } from './config-values.ts';

export const permissionNames = {
  proxy: 'Access Proxy System API',
  realTime: 'Access Real-Time Provisioning API',
  admin: 'Access Identity Provisioning Tenant Admin API',
} as const;

const tenantName = () => name('-', 'name of a tenant');
const systemId = () => name('._~-', 'id of a system');
const callerName = () => name('._@-', 'name of a technical user');
const resourceType = () => name('', 'resource type');

function allOr<T extends z.ZodType>(element: T) {
  const list = z.array(element).min(1);
  return z.union([z.literal('all'), list], { error: 'must be all, or a list with at least one entry' });
}

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
      admin: admin(),
      replicas: count(1, 64)
        .default(1)
        .describe('How many gateways share the tenants’ quota. Each paces itself to its part of it.'),
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
      cache: cache(references),
      secretsFile: privatePath(references)
        .prefault('../var/secrets.yaml')
        .describe(
          'File with the argon2id hashes of the technical users’ secrets, at most two each. `gatehouse secret` writes it.',
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
      callers: z
        .record(callerName(), caller())
        .default({})
        .describe('The technical users that may call, by name, and what each may do.'),
      tenants: z
        .record(tenantName(), tenant(references))
        .default({})
        .describe('The Identity Provisioning tenants behind the gateway, by a name of your choice.'),
      systems: z
        .record(systemId(), system())
        .default({})
        .describe('The proxy systems, by the id that callers use in the path.'),
    })
    .describe('Configuration of the Gatehouse gateway');
}

function listen(references: References) {
  return z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1').describe('Address to listen on for callers.'),
      port: port().default(8080).describe('Port to listen on for callers; 0 takes a free one.'),
      hosts: z
        .array(z.string().min(1))
        .default([])
        .describe(
          'Host names that callers may use besides the one of `publicUrl`; all others are refused with 421.',
        ),
      tls: keyPair(references)
        .optional()
        .describe('Certificate and key of the listener; without it, it speaks plain HTTP.'),
      maxConnections: count(1, 100_000).default(1000).describe('Connections of callers at the same time.'),
      tlsTerminatedElsewhere: z
        .boolean()
        .default(false)
        .describe(
          'States that a load balancer in front ends TLS, which permits plain HTTP on an address that others reach.',
        ),
    })
    .prefault({})
    .describe('The listener for callers.');
}

function keyPair(references: References) {
  return z.strictObject({
    certificate: certificates(references).describe(
      'PEM file: the certificate, then its intermediate certificates.',
    ),
    key: secret(references).describe('The private key in PEM, as a reference.'),
  });
}

function admin() {
  return z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1').describe('Address of the administrative listener.'),
      port: port().default(9090).describe('Port of the administrative listener; 0 takes a free one.'),
    })
    .prefault({})
    .describe('The administrative listener: health and metrics. Never expose it to callers.');
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
      bodyTime: duration({ min: '100ms', max: '10m' })
        .prefault('10s')
        .describe('Time to receive the body of a call.'),
      headers: count(8, 1000).default(64).describe('Most header fields of a call.'),
      target: count(256, 16_384).default(4096).describe('Longest request target (path and query) in bytes.'),
    })
    .prefault({})
    .describe('Limits of calls and replies.');
}

function audit(references: References) {
  return z
    .strictObject({
      directory: path(references)
        .prefault('../var/audit')
        .describe('Directory of the audit trail. Place it on a file system of its own.'),
      instance: name('._-', 'name of an instance')
        .optional()
        .describe(
          'Name of this gateway in the trail, and of its directory below `directory`. Unique among the replicas. Default: the host’s name.',
        ),
      keyFile: privatePath(references)
        .prefault('../var/keys/audit.key')
        .describe(
          'File with the 32 bytes that pseudonymise and sign in the trail; generated when it is missing.',
        ),
    })
    .prefault({})
    .describe('The audit trail.');
}

function cache(references: References) {
  return z
    .strictObject({
      store: z.enum(['memory', 'redis']).default('memory').describe('Where replies are remembered.'),
      memory: z
        .strictObject({
          size: size({ min: '1MiB', max: '64GiB' })
            .prefault('64MiB')
            .describe('Most memory for remembered replies.'),
        })
        .prefault({})
        .describe('The store in the gateway’s own memory.'),
      redis: redis(references).optional().describe('The store in Redis. Required when `store` is `redis`.'),
      lifetime: cacheLifetime()
        .prefault('60s')
        .describe('How long a reply may be remembered, unless a system says otherwise.'),
    })
    .prefault({})
    .describe('Remembered replies. A write through the gateway makes them stale at once.');
}

const cacheLifetime = () => duration({ min: '1s', max: '24h' });

function redis(references: References) {
  return z.strictObject({
    url: confidentialUrl(['redis:', 'rediss:'], references).describe(
      'Address of Redis: `redis://host:6379/0`, or `rediss://…` with TLS. With a password in it, as a reference.',
    ),
    tls: z
      .strictObject({
        ca: certificates(references).describe(
          'PEM file with the certificate authorities that Redis’s certificate may come from.',
        ),
      })
      .optional()
      .describe('TLS to Redis beyond the system’s own certificate authorities.'),
    budget: duration({ min: '1ms', max: '5s' })
      .prefault('50ms')
      .describe(
        'Longest time that all cache commands of one call may take; then the call goes on without the cache.',
      ),
  });
}

function caller() {
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
  });
}

function tenant(references: References) {
  return z.strictObject({
    url: secureUrl()
      .optional()
      .describe('Address of the tenant, such as `https://acme.accounts.ondemand.com`.'),
    credential: credential(references).optional().describe('The gateway’s own technical user at the tenant.'),
    embedded: embedded(references)
      .optional()
      .describe(
        'Runs a stand-in of a tenant inside the gateway’s process, for trying out. Replaces `url` and `credential`.',
      ),
    ca: certificates(references)
      .optional()
      .describe(
        'PEM file with the certificate authorities that the tenant’s certificate may come from. Default: those of Node.',
      ),
    clientCertificate: keyPair(references)
      .optional()
      .describe('Certificate and key that the gateway shows to the tenant.'),
    outboundProxy: z
      .strictObject({
        url: confidentialUrl(['http:', 'https:'], references).describe(
          'Address of the proxy, such as `http://proxy:3128`. With a password in it, as a reference.',
        ),
        noProxy: z.array(z.string().min(1)).default([]).describe('Hosts that are reached without the proxy.'),
      })
      .optional()
      .describe('The company’s proxy on the way out.'),
    deadlines: z
      .strictObject({
        read: duration({ min: '100ms', max: '30m' })
          .prefault('30s')
          .describe('Longest time for a read at the tenant.'),
        write: duration({ min: '100ms', max: '30m' })
          .prefault('190s')
          .describe('Longest time for a write. The tenant itself may repeat at its target for minutes.'),
      })
      .prefault({})
      .describe('How long the tenant may take.'),
    pace: pace(),
  });
}

function credential(references: References) {
  const basic = z.strictObject({
    type: z.literal('basic').describe('User and secret with each call.'),
    user: z.string().min(1).describe('The technical user’s id.'),
    secret: secret(references).describe('The technical user’s secret, as a reference.'),
  });
  const oauth = z.strictObject({
    type: z.literal('oauth').describe('OAuth 2.0 client credentials.'),
    clientId: z.string().min(1).describe('The client’s id.'),
    secret: secret(references).describe('The client’s secret, as a reference.'),
    tokenUrl: secureUrl()
      .optional()
      .describe('Address of the token endpoint. Default: `<url>/oauth2/token`.'),
  });
  const certificate = z.strictObject({
    type: z.literal('certificate').describe('The client certificate alone; needs `clientCertificate`.'),
  });
  const none = z.strictObject({ type: z.literal('none').describe('No credential at all.') });
  return z.discriminatedUnion('type', [basic, oauth, certificate, none]);
}

function embedded(references: References) {
  return z.strictObject({
    port: port().default(8081).describe('Port on 127.0.0.1; 0 takes a free one.'),
    file: path(references).optional().describe('Further settings of the embedded tenant.'),
    users: count(0, 1_000_000)
      .default(1000)
      .describe('Users in its directory at the start; always the same ones.'),
    groups: count(0, 100_000).default(50).describe('Groups in its directory at the start.'),
  });
}

function pace() {
  return z
    .strictObject({
      perMinute: count(1, 100_000).default(140).describe('Calls per minute, evenly spread.'),
      burst: count(0, 10_000).default(10).describe('Calls that may go up at once after a quiet time.'),
      tenantLimit: count(1, 100_000)
        .default(150)
        .describe(
          'The calls per minute that the tenant grants to one credential; `perMinute` and `burst` together stay within it.',
        ),
      minute: duration({ min: '100ms', max: '60s' })
        .prefault('60s')
        .describe('Length of the minute. Shorter only for demonstrations with a tenant on this machine.'),
      concurrency: count(1, 1000).default(16).describe('Calls at the tenant at the same time.'),
      queue: count(0, 1_000_000)
        .default(2000)
        .describe('Calls that may wait for their turn; more are refused at once.'),
    })
    .prefault({})
    .describe('The tenant’s quota, shared by all systems and interfaces of the tenant.');
}

function system() {
  return z.strictObject({
    tenant: tenantName().describe('The tenant behind it: an entry of `tenants`.'),
    kind: z
      .enum(['ips', 'scim'])
      .default('ips')
      .describe('`ips`: a proxy system of the tenant. `scim`: any SCIM 2.0 service provider under `url`.'),
    id: systemId().optional().describe('The system’s id at the tenant. Default: the id that callers use.'),
    url: secureUrl().optional().describe('Base address of a system of kind `scim`. Default: the tenant’s.'),
    name: z.string().optional().describe('A name for people: logs and the console show it.'),
    resourceTypes: z
      .array(resourceType())
      .min(1)
      .default(['Users', 'Groups'])
      .describe('Resource types by the name they have in the path.'),
    assignment: z
      .enum(['PUT', 'PATCH'])
      .default('PUT')
      .describe('How a changed membership goes up: the whole group, or only the change.'),
    cache: z
      .strictObject({
        enabled: z.boolean().default(true).describe('Remember replies of this system.'),
        lifetime: cacheLifetime()
          .optional()
          .describe('How long a reply may be remembered. Default: `cache.lifetime`.'),
        scope: z
          .enum(['shared', 'caller'])
          .default('shared')
          .describe('Whether callers with the same rights share remembered replies, or each has its own.'),
      })
      .prefault({})
      .describe('What this system’s replies allow.'),
    limits: z
      .strictObject({
        body: size({ min: '1KiB', max: '256MiB' })
          .optional()
          .describe('Largest body of a call. Default: `limits.body`.'),
        reply: size({ min: '1KiB', max: '1GiB' })
          .optional()
          .describe('Largest body of a reply. Default: `limits.reply`.'),
      })
      .prefault({})
      .describe('Limits that differ for this system.'),
    deadlines: z
      .strictObject({
        read: duration({ min: '100ms', max: '30m' }).optional().describe('Default: the tenant’s.'),
        write: duration({ min: '100ms', max: '30m' }).optional().describe('Default: the tenant’s.'),
      })
      .prefault({})
      .describe('Deadlines that differ for this system.'),
  });
}

/** What the schema gives: numbers and secrets instead of notations and references, defaults filled in. */
export type ParsedConfig = z.output<ReturnType<typeof createConfigSchema>>;
/** What the file may contain; tests and the demonstration build it in memory. */
export type ConfigDocument = z.input<ReturnType<typeof createConfigSchema>>;
