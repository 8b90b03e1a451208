/**
 * The part of the configuration that says where the trail is delivered to, each destination by its name. What all have in
 * common comes first; a destination's own keys follow its `type`.
 */
import { z } from 'zod';

import { formatNames } from '../delivery/message.ts';
import { facilities, type Facility } from '../delivery/syslog-frame.ts';
import { certificates, keyPair } from './config-certificates.ts';
import { path, secret, type References } from './config-references.ts';
import { outboundProxy } from './config-tenants.ts';
import { duration, name, port, secureUrl } from './config-values.ts';

export const destinationName = () => name('._-', 'name of a destination');

export function destinations(references: References) {
  return z
    .record(
      destinationName(),
      z.discriminatedUnion('type', [
        syslog(references),
        splunk(references),
        webhook(references),
        file(references),
      ]),
    )
    .default({})
    .describe(
      'Where the trail is delivered to, by a name of your choice. A destination that is away or hangs delays no call.',
    );
}

function common() {
  return {
    format: z
      .enum(formatNames)
      .default('native')
      .describe('Form of the records: the trail’s own, or one of docs/audit-export.md.'),
    events: z
      .array(
        z.string().regex(/^(?:[a-z0-9_.]+\*?|\*)$/, {
          error: 'must be the name of an event, or its beginning and *',
        }),
      )
      .min(1)
      .default(['*'])
      .describe(
        'Which events it gets: names, or beginnings such as `authn.*`. Checkpoints are `audit.checkpoint`.',
      ),
    timeout: duration({ min: '100ms', max: '5m' }).prefault('10s').describe('Longest time for one batch.'),
  };
}

export function tls(references: References) {
  return {
    ca: certificates(references)
      .optional()
      .describe(
        'PEM file with the certificate authorities that the destination’s certificate may come from. Default: those of Node.',
      ),
    clientCertificate: keyPair(references)
      .optional()
      .describe('Certificate and key that the gateway shows to the destination.'),
  };
}

export function collector(references: References) {
  return {
    url: secureUrl().describe('The whole address that is sent to.'),
    ...tls(references),
    outboundProxy: outboundProxy(references),
  };
}

/** Of syslog over TLS. */
export function receiver(references: References) {
  return {
    host: z.string().min(1).describe('Host of the receiver, by the name that its certificate has.'),
    port: port().default(6514).describe('Port of the receiver.'),
    ...tls(references),
    facility: z
      .enum(Object.keys(facilities) as [Facility, ...Facility[]])
      .default('audit')
      .describe('Facility of all messages.'),
    structuredDataId: z
      .string()
      .regex(/^[^\s="\]@]{1,20}@\d{1,11}$/, { error: 'must be a name, @ and a private enterprise number' })
      .default('gatehouse@32473')
      .describe(
        'Name of the structured data: any, `@` and your private enterprise number. 32473 is the one for examples (RFC 5612).',
      ),
  };
}

function syslog(references: References) {
  return z.strictObject({
    type: z.literal('syslog').describe('Syslog (RFC 5424) over TLS (RFC 5425).'),
    ...receiver(references),
    resend: duration({ min: '100ms', max: '10m' })
      .prefault('30s')
      .describe(
        'What was sent so lately is sent again after a break, because nobody confirms it. So often the connection is ended in ' +
          'order, which shows that all has been read.',
      ),
    ...common(),
  });
}

function splunk(references: References) {
  return z.strictObject({
    type: z.literal('splunk').describe('The HTTP Event Collector of Splunk.'),
    ...collector(references),
    token: secret(references).describe('The collector’s token, as a reference.'),
    index: z.string().min(1).optional().describe('Index that the events go to. Default: the token’s.'),
    sourceType: z.string().min(1).default('gatehouse:audit').describe('Source type of the events.'),
    ...common(),
  });
}

function webhook(references: References) {
  return z.strictObject({
    type: z.literal('webhook').describe('JSON arrays to any address, signed with HMAC-SHA256.'),
    ...collector(references),
    secret: secret(references).describe('What the signature is made with, as a reference.'),
    ...common(),
  });
}

function file(references: References) {
  return z.strictObject({
    type: z
      .literal('file')
      .describe('Lines at the end of a file or into a pipe, for a collector on this machine.'),
    path: path(references).describe(
      'Path of the file; `/dev/stdout` where standard output is a pipe or a file.',
    ),
    ...common(),
  });
}
