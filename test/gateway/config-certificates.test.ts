/** What a configuration may say of callers' certificates. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createCertificate, createRevocationList } from '../support/certificate.ts';
import { changed, faultsIn, load, soundDocument } from '../support/configuration.ts';

const shown = createCertificate();
const files = {
  'tls.crt': { content: shown.certificate },
  'tls.key': { content: shown.key },
  'ca.crt': { content: shown.certificate },
  'ca.crl': { content: createRevocationList(shown, []) },
};
const clients = { ca: { file: 'ca.crt' }, crl: { file: 'ca.crl' }, mode: 'required' };
const tls = { certificate: { file: 'tls.crt' }, key: { file: 'tls.key' }, clients };
const user = soundDocument().callers['sap-idm'];
const withCertificates = (certificates: readonly object[], more: object = {}) =>
  changed({ listen: { tls }, callers: { 'sap-idm': { ...user, certificates }, ...more } });
const digest = 'AB:'.repeat(32).slice(0, -1);

test('digests are taken with and without colons', () => {
  const read = load(withCertificates([{ sha256: digest }, { spki: 'ab'.repeat(32) }]), { files });
  assert.deepEqual(read.callers['sap-idm']?.certificates, [
    { sha256: 'ab'.repeat(32) },
    { spki: 'ab'.repeat(32) },
  ]);
});

test('certificates that nobody can show are a fault', () => {
  const certificates = [{ sha256: digest }];
  const document = changed({ callers: { 'sap-idm': { ...user, certificates } } });
  assert.match(faultsIn(document).join(), /callers\.sap-idm\.certificates: nobody can show one/);
});

test('a certificate that stands for two callers is a fault, however it is written', () => {
  const twin = { twin: { ...user, certificates: [{ sha256: digest.replaceAll(':', '').toLowerCase() }] } };
  const faults = faultsIn(withCertificates([{ sha256: digest }], twin), { files });
  assert.deepEqual(faults, ['callers.twin.certificates.0: stands for sap-idm already']);
});

test('a certificate that stands for a caller and for a proxy is a fault', () => {
  const forwarders = [{ san: 'DNS:lb.example' }];
  const withProxy = { ...tls, clients: { ...clients, forwarders } };
  const document = (certificates: readonly object[]) =>
    changed({ listen: { tls: withProxy }, callers: { 'sap-idm': { ...user, certificates } } });
  assert.deepEqual(faultsIn(document(forwarders), { files }), [
    'callers.sap-idm.certificates.0: stands for a proxy already',
  ]);
  const { listen } = load(document([{ sha256: digest }]), { files });
  assert.deepEqual(listen.tls?.clients?.forwarders, forwarders);
});

for (const [what, match] of [
  ['a digest that is too short', { sha256: 'ab:cd' }],
  ['a name without its kind', { san: 'idm.example' }],
  ['a name with blanks', { san: 'DNS:idm.example, DNS:other' }],
  ['a subject', { subject: 'CN=idm' }],
  ['two matches in one', { sha256: digest, san: 'DNS:idm.example' }],
] as const)
  test(`${what} is a fault`, () => {
    assert.equal(faultsIn(withCertificates([match]), { files }).length, 1);
  });

for (const content of [
  '',
  'nothing',
  shown.certificate,
  '-----BEGIN X509 CRL-----\nMAMC\n-----END X509 CRL-----',
])
  test(`a file with ${JSON.stringify(content.slice(0, 22))} is no revocation list`, () => {
    const faults = faultsIn(changed({ listen: { tls } }), { files: { ...files, 'ca.crl': { content } } });
    assert.match(faults.join(), /holds no PEM revocation list/);
  });
