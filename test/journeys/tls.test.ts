/** Certificates that are not what they should be, on both sides: no answer comes by any weaker way. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';

import { pinOf } from '../../src/gateway/pins.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { createCertificate, type CertificateAndKey } from '../support/certificate.ts';
import type { TrailRecord } from '../support/gateway.ts';
import { assertRefusal, besiege, plainAnswer } from '../support/siege.ts';

const good = createCertificate();

async function writeCertificate({ certificate }: CertificateAndKey) {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-tls-'));
  const file = join(directory.path, 'ca.pem');
  await writeFile(file, certificate);
  return { file, [Symbol.asyncDispose]: () => directory.remove() };
}

function besiegeTls(shown: CertificateAndKey, file: string, pinned?: CertificateAndKey) {
  const tls = { key: shown.key, cert: shown.certificate };
  const pins = pinned && [pinOf(new X509Certificate(pinned.certificate)), '0'.repeat(64)];
  return besiege({ tenantSide: { tls }, tenant: { ca: { file }, ...(pins && { pins }) } });
}

test('a tenant with the right certificate is asked', async () => {
  await using trusted = await writeCertificate(good);
  for (const pinned of [undefined, good]) {
    await using siege = await besiegeTls(good, trusted.file, pinned);
    assert.equal((await siege.gateway.call('GET', '/Users/1')).status, 200);
    assert.equal((await siege.gateway.call('PUT', '/Users/1', {})).status, 200);
  }
});

// Row 97.
const expired = createCertificate('localhost', { expired: true });
const misnamed = createCertificate('localhost', { host: 'other.example' });
for (const [what, shown, trusts, code, pinned] of [
  ['an expired certificate', expired, expired, 'CERT_HAS_EXPIRED'],
  ['the certificate of another host', misnamed, misnamed, 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['a certificate of an unknown authority', createCertificate(), good, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['a good certificate that no pinned key vouches for', good, good, 'PIN_MISMATCH', createCertificate()],
] as const)
  test(`a tenant that shows ${what} gets no request, and the caller hears that nothing was sent`, async () => {
    await using trusted = await writeCertificate(trusts);
    await using siege = await besiegeTls(shown, trusted.file, pinned);
    for (const [method, path, body] of [
      ['GET', '/Users/1', undefined],
      ['POST', '/Users', {}],
    ] as const) {
      const answer = await plainAnswer(await siege.gateway.call(method, path, body));
      assertRefusal(answer, 502);
      assert.match(answer.body, /was not sent/);
    }
    assert.deepEqual(siege.upstream.received, []);
    const records = await siege.end();
    const failures = records.filter(({ event }) => event === 'upstream.tls_failure');
    assert.deepEqual(
      failures.map(({ facts }) => facts?.code),
      [code, code],
    );
    const outcomes = records.filter(({ event }) => event === 'upstream.outcome');
    assert.deepEqual(
      outcomes.map(({ outcome }) => [outcome?.result, outcome?.sent]),
      [
        ['failure', false],
        ['failure', false],
      ],
    );
  });

// Row 14, the other way round.
test('a listener with TLS counts what is no TLS, and what offers none that it takes', async () => {
  await using certificate = await writeCertificate(good);
  const tls = { certificate: { file: certificate.file }, key: new Secret(good.key) };
  await using siege = await besiege({ config: { listen: { port: 0, tls } } });
  const port = Number(new URL(siege.gateway.url).port);
  const plain = connectPlain(port, '127.0.0.1');
  plain.end('GET / HTTP/1.1\r\n\r\n').resume();
  await once(plain, 'close');
  const old = connect({
    port,
    host: '127.0.0.1',
    ca: good.certificate,
    maxVersion: 'TLSv1.1',
    minVersion: 'TLSv1',
  });
  await assert.rejects(once(old, 'secureConnect'));
  const failed = (await siege.end()).filter(({ event }: TrailRecord) => event === 'tls.handshake_failed');
  assert.equal(
    failed.reduce((sum, { facts }) => sum + (facts?.count ?? 0), 0),
    2,
  );
});
