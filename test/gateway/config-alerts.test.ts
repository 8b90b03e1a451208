/** What may be said of alerts, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { alertsOf } from '../../src/gateway/alert-channels.ts';
import { endsIn } from '../../src/gateway/expiry.ts';
import { createCertificate } from '../support/certificate.ts';
import { changed, faultsIn, load } from '../support/configuration.ts';

const withChannels = (channels: object) => changed({ alerts: { channels } });
const withChannel = (settings: object) => withChannels({ duty: settings });
const from = 'gatehouse@example.com';
const mail = { type: 'smtp', host: 'mail.example.com', from, to: ['duty@example.com'] };
const webhook = { type: 'webhook', url: 'https://hook.example.com/in', secret: { env: 'HOOK' } };
const env = { HOOK: 'kept to ourselves', MAIL: 'kept as well' };

test('nobody is told unless the configuration says so', () => {
  const { betweenMs, channels } = alertsOf(load(changed({})));
  assert.deepEqual([betweenMs, channels.size], [4 * 3_600_000, 0]);
});

test('a mailbox needs a host, a sender and itself, and is encrypted', () => {
  const { channels } = alertsOf(load(withChannel(mail)));
  assert.partialDeepStrictEqual(channels.get('duty'), {
    settings: { type: 'smtp', port: 587, encryption: 'starttls' },
    least: 'warning',
    only: undefined,
    timeoutMs: 10_000,
  });
});

for (const [what, settings, fault] of [
  ['a type that does not exist', { ...mail, type: 'sms' }, /^alerts\.channels\.duty\.type: /],
  ['a key of another type', { ...mail, url: 'https://a.example' }, /duty\.url: is not a key/],
  ['no recipient', { ...mail, to: [] }, /duty\.to: must not be empty/],
  [
    'two recipients in one',
    { ...mail, to: ['a@example.com, b@example.com'] },
    /duty\.to\.0: must be the addr/,
  ],
  ['a line break in an address', { ...mail, from: 'a@example.com\nBcc: b' }, /duty\.from: must be the addr/],
  ['a password in the file', { ...mail, user: 'u', password: 'abc' }, /duty\.password: must be a reference/],
  ['a user without a password', { ...mail, user: 'u' }, /duty\.password: user and password belong/],
  ['a password without a user', { ...mail, password: { env: 'MAIL' } }, /duty\.password: user and password/],
  [
    'plain mail to another host',
    { ...mail, encryption: 'none' },
    /duty\.encryption: must be starttls or tls/,
  ],
  ['a webhook over http', { ...webhook, url: 'http://hook.example.com' }, /duty\.url: must be https/],
  ['an alert that there is not', { ...mail, only: ['guard'] }, /duty\.only\.0: must be one of: guard-held/],
  ['a severity that there is not', { ...mail, least: 'info' }, /duty\.least: must be one of: warning, crit/],
] as const)
  test(`${what} is refused`, () => {
    const faults = faultsIn(withChannel(settings), { env });
    assert.equal(faults.length, 1, faults.join('\n'));
    assert.match(faults[0] ?? '', fault);
  });

test('every fault of every channel is told at once', () => {
  const channels = {
    a: { ...mail, to: [] },
    b: { ...webhook, secret: 'x' },
    c: { ...mail, encryption: 'none' },
  };
  assert.equal(faultsIn(changed({ alerts: { repeat: '1s', channels } }), { env }).length, 4);
});

test('plain mail to this machine is taken', () => {
  assert.deepEqual(faultsIn(withChannel({ ...mail, host: '127.0.0.1', encryption: 'none' })), []);
});

test('channels keep their secrets to themselves', () => {
  const config = load(withChannels({ a: webhook, b: { ...mail, user: 'u', password: { env: 'MAIL' } } }), {
    env,
  });
  for (const secret of Object.values(env)) assert.ok(!JSON.stringify(config).includes(secret));
  const { settings } = alertsOf(config).channels.get('b') ?? {};
  assert.ok(settings?.type === 'smtp');
  assert.equal(settings.logOn?.password(), env.MAIL);
});

test('the certificates of channels are watched for their end', () => {
  const files = { 'ca.crt': { content: createCertificate().certificate } };
  const config = load(withChannel({ ...mail, ca: { file: 'ca.crt' } }), { files });
  assert.deepEqual(
    endsIn(config).map(({ what }) => what),
    ['alerts.channels.duty.ca'],
  );
});
