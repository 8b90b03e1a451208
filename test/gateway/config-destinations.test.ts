/** What may be said of destinations, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { endsIn } from '../../src/gateway/expiry.ts';
import { createCertificate } from '../support/certificate.ts';
import { changed, faultsIn, load } from '../support/configuration.ts';

const withDestination = (settings: object, name = 'siem') =>
  changed({ audit: { destinations: { [name]: settings } } });
const syslog = { type: 'syslog', host: 'syslog.example.com' };
const webhook = { type: 'webhook', url: 'https://hook.example.com/in', secret: { env: 'HOOK' } };
const env = { HOOK: 'kept to ourselves' };

test('a syslog destination needs no more than its host', () => {
  const { destinations } = load(withDestination(syslog)).audit;
  assert.partialDeepStrictEqual(destinations['siem'], {
    port: 6514,
    facility: 'audit',
    format: 'native',
    events: ['*'],
    resend: 30_000,
    timeout: 10_000,
  });
});

for (const [what, settings, fault] of [
  ['a type that does not exist', { ...syslog, type: 'udp' }, /^audit\.destinations\.siem\.type: /],
  ['no type', { host: 'syslog.example.com' }, /^audit\.destinations\.siem\.type: is missing/],
  ['a key of another type', { ...syslog, url: 'https://a.example' }, /siem\.url: is not a key/],
  [
    'plain http to another host',
    { ...webhook, url: 'http://hook.example.com/in' },
    /siem\.url: must be https/,
  ],
  ['a secret in the file', { ...webhook, secret: 'abc' }, /siem\.secret: must be a reference to a secret/],
  ['an unknown form', { ...syslog, format: 'leef' }, /siem\.format: must be one of: native, ocsf, ecs, cef/],
  ['an event that none is called', { ...syslog, events: ['authn.*.x'] }, /siem\.events\.0: must be the name/],
  ['no event at all', { ...syslog, events: [] }, /siem\.events: must not be empty/],
  [
    'an id without a number',
    { ...syslog, structuredDataId: 'gatehouse' },
    /structuredDataId: must be a name, @/,
  ],
] as const)
  test(`${what} is refused`, () => {
    const faults = faultsIn(withDestination(settings), { env });
    assert.equal(faults.length, 1, faults.join('\n'));
    assert.match(faults[0] ?? '', fault);
  });

test('a name that could leave the directory is refused', () => {
  assert.match(faultsIn(withDestination(syslog, '../siem')).join(), /is no name of a destination/);
});

test('a webhook keeps its secret to itself', () => {
  const config = load(withDestination(webhook), { env });
  assert.ok(!JSON.stringify(config).includes(env.HOOK));
});

test('the certificates of destinations are watched for their end', () => {
  const own = createCertificate();
  const files = {
    'own.crt': { content: own.certificate },
    'own.key': { content: own.key },
  };
  const clientCertificate = { certificate: { file: 'own.crt' }, key: { file: 'own.key' } };
  const config = load(withDestination({ ...syslog, ca: { file: 'own.crt' }, clientCertificate }), { files });
  assert.deepEqual(
    endsIn(config).map(({ what }) => what),
    ['audit.destinations.siem.ca', 'audit.destinations.siem.clientCertificate.certificate'],
  );
});
