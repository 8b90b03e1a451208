/** The shape of what the configuration says about tenants. Same rules as config-schema.ts. */
import { z } from 'zod';

import { certificates, keyPair } from './config-certificates.ts';
import { confidentialUrl, path, secret, type References } from './config-references.ts';
import { count, duration, keyDigest, name, port, serverUrl } from './config-values.ts';

export const tenantName = () => name('-', 'name of a tenant');

export function tenant(references: References) {
  return z.strictObject({
    url: serverUrl()
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
    pins: z
      .array(keyDigest())
      .refine((pins) => new Set(pins).size >= 2, {
        error: 'must have at least two different digests, so that a key can be replaced',
      })
      .optional()
      .describe(
        'SHA-256 digests of public keys (SubjectPublicKeyInfo in DER; hexadecimal or base64), at least two. One of them must ' +
          'be in the verified chain of every server that gets the tenant’s credential: `url`, `tokenUrl`, the systems’ own ' +
          '`url`. Pin authorities: servers renew their own keys.',
      ),
    clientCertificate: keyPair(references)
      .optional()
      .describe('Certificate and key that the gateway shows to the tenant.'),
    outboundProxy: outboundProxy(references),
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

export function outboundProxy(references: References) {
  return z
    .strictObject({
      url: confidentialUrl(['http:', 'https:'], references).describe(
        'Address of the proxy, such as `http://proxy:3128`. With a password in it, as a reference.',
      ),
      noProxy: z.array(z.string().min(1)).default([]).describe('Hosts that are reached without the proxy.'),
    })
    .optional()
    .describe('The company’s proxy on the way out.');
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
    tokenUrl: serverUrl()
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
      perMinute: count(1, 100_000)
        .default(140)
        .describe(
          'Calls per minute over all replicas, evenly spread. Lower it by what uses the tenant past the gateway.',
        ),
      burst: count(0, 10_000)
        .default(10)
        .describe(
          'Calls that may go up at once after a quiet time, over all replicas; a tenth of it is kept for calls that are late.',
        ),
      tenantLimit: count(1, 100_000)
        .default(150)
        .describe(
          'The calls per minute that the tenant grants to one credential; `perMinute` and `burst` together stay within it.',
        ),
      minute: duration({ min: '100ms', max: '60s' })
        .prefault('60s')
        .describe('Length of the minute. Shorter only for demonstrations with a tenant on this machine.'),
      concurrency: count(1, 1000).default(48).describe('Calls at the tenant at the same time.'),
      queue: count(0, 1_000_000)
        .default(2000)
        .describe('Calls that may wait for their turn; more are refused at once.'),
    })
    .prefault({})
    .describe('The tenant’s quota, shared by all systems and interfaces of the tenant.');
}
