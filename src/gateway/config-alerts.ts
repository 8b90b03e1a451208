/**
 * The part of the configuration that says who is told at once of what needs somebody, each channel by its name. What all
 * channels have in common comes last; a channel's own keys follow its `type`.
 */
import { z } from 'zod';

import { severities } from '../alerts/alert.ts';
import { alertNames, type AlertName } from '../alerts/matters.ts';
import { collector, receiver, tls } from './config-destinations.ts';
import { secret, type References } from './config-references.ts';
import { duration, isLoopback, name, port } from './config-values.ts';

export function alerts(references: References) {
  return z
    .strictObject({
      repeat: duration({ min: '1m', max: '168h' })
        .prefault('4h')
        .describe(
          'How long after it was told the same is told again, at the earliest: what goes on, and what has happened again.',
        ),
      channels: z
        .record(
          name('._-', 'name of a channel'),
          z.discriminatedUnion('type', [webhook(references), syslog(references), smtp(references)]),
        )
        .default({})
        .describe(
          'Where alerts go, by a name of your choice. A channel that is away or hangs delays no call. Default: nowhere.',
        ),
    })
    .prefault({})
    .describe('Who is told at once of what needs somebody (docs/operations.md, Alerts).');
}

function common() {
  return {
    least: z.enum(severities).default('warning').describe('The least severity that the channel gets.'),
    only: z
      .array(z.enum(alertNames as [AlertName, ...AlertName[]]))
      .min(1)
      .optional()
      .describe('Names of the alerts that the channel gets. Default: all.'),
    timeout: duration({ min: '100ms', max: '5m' }).prefault('10s').describe('Longest time for one try.'),
  };
}

function webhook(references: References) {
  return z.strictObject({
    type: z.literal('webhook').describe('A JSON object to any address, signed with HMAC-SHA256.'),
    ...collector(references),
    secret: secret(references).describe('What the signature is made with, as a reference.'),
    ...common(),
  });
}

function syslog(references: References) {
  return z.strictObject({
    type: z.literal('syslog').describe('Syslog (RFC 5424) over TLS (RFC 5425).'),
    ...receiver(references),
    ...common(),
  });
}

function smtp(references: References) {
  return z
    .strictObject({
      type: z.literal('smtp').describe('A mail of plain text.'),
      host: z.string().min(1).describe('Host of the mail server, by the name that its certificate has.'),
      port: port().default(587).describe('Port of the mail server.'),
      encryption: z
        .enum(['starttls', 'tls', 'none'])
        .default('starttls')
        .describe(
          'After the greeting (`starttls`; nothing is sent where the server does not offer it), from the beginning (`tls`, often port 465), or none, to this machine only.',
        ),
      ...tls(references),
      user: z
        .string()
        .min(1)
        .optional()
        .describe('Whom the gateway logs on as. Default: it does not log on.'),
      password: secret(references).optional().describe('The password of `user`, as a reference.'),
      from: address().describe('The sender.'),
      to: z
        .array(address())
        .min(1)
        .max(20)
        .describe(
          'The mailboxes; those of functions rather than of persons, for the trail names them when they change.',
        ),
      ...common(),
    })
    .refine(({ encryption, host }) => encryption !== 'none' || isLoopback(host), {
      path: ['encryption'],
      error: 'must be starttls or tls (none is for addresses of this machine only)',
    })
    .refine(({ user, password }) => (user === undefined) === (password === undefined), {
      path: ['password'],
      error: 'user and password belong together',
    });
}

function address() {
  const error = 'must be the address of a mailbox';
  return z
    .string({ error })
    .max(254, { error })
    .regex(/^[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()[\]\\]+$/, { error })
    .meta({ title: 'mailbox' });
}
