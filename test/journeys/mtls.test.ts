/** Callers that come with a client certificate: who is believed, who is refused how, and until when. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import type https from 'node:https';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type ConnectionOptions } from 'node:tls';

import type { TlsClients } from '../../src/gateway/config-certificates.ts';
import { createCertificate, type CertificateAndKey } from '../support/certificate.ts';
import {
  agentOf,
  besiegeByCertificate,
  get,
  getOnce,
  issue,
  own,
  permissions,
  root,
  shown,
} from '../support/certified.ts';
import type { RawAnswer } from '../support/raw.ts';
import { assertRefusal, recordOf, type Siege } from '../support/siege.ts';

const byPrint = issue('by-print');
const byKey = issue('by-key');
const byHost = issue('by-host', { host: 'idm.example' });
const byUri = issue('by-uri', { uri: 'spiffe://example/idm' });
const unmapped = issue('by-print');
const deceiver = issue('deceiver', { uri: 'spiffe://a, DNS:idm.example' });

const spki = own(byKey).publicKey.export({ type: 'spki', format: 'der' });
const callers = {
  'by-print': { permissions, certificates: [{ sha256: own(byPrint).fingerprint256 }] },
  'by-key': { permissions, certificates: [{ spki: hash('sha256', spki) }] },
  'by-name': { permissions, certificates: [{ san: 'DNS:idm.example' }, { san: 'URI:spiffe://example/idm' }] },
};

const besiegeWith = (mode: TlsClients['mode'], revoked: readonly CertificateAndKey[] = []) =>
  besiegeByCertificate({ mode, revoked, callers });

function freeSocketOf(agent: https.Agent): Socket {
  const [socket] = Object.values(agent.freeSockets).flat();
  assert.ok(socket);
  return socket;
}

const actorOf = async (siege: Siege, answer: RawAnswer) =>
  (await recordOf(siege, answer))['actor'] as { name?: string; auth?: string; credential?: string };

for (const [how, caller, name] of [
  ['its fingerprint', byPrint, 'by-print'],
  ['its key', byKey, 'by-key'],
  ['its host name', byHost, 'by-name'],
  ['its URI', byUri, 'by-name'],
] as const)
  test(`a certificate stands for the technical user that is configured with ${how}`, async () => {
    await using mtls = await besiegeWith('required');
    const answer = await getOnce(mtls.siege, caller);
    assert.equal(answer.status, 200, answer.body);
    const credential = own(caller).fingerprint256.replaceAll(':', '').toLowerCase();
    assert.deepEqual(await actorOf(mtls.siege, answer), { name, auth: 'certificate', credential });
  });

// Row 64, and names that only look like the configured ones.
for (const [what, caller] of [
  ['of the authority that is configured for nobody, though its subject is a user’s name', unmapped],
  ['with a URI that contains somebody’s host name', deceiver],
] as const)
  test(`a certificate ${what} is refused`, async () => {
    await using mtls = await besiegeWith('required');
    const answer = await getOnce(mtls.siege, caller);
    assertRefusal(answer, 401);
    assert.equal((await recordOf(mtls.siege, answer)).event, 'authn.failure');
    assert.deepEqual(mtls.siege.upstream.received, []);
  });

// Row 63, and 65 for new connections.
const stranger = createCertificate('stranger');
const revoked = issue('revoked');
const invalid: Readonly<Record<string, readonly [caller: CertificateAndKey | undefined, says: RegExp]>> = {
  'no certificate': [undefined, /none was shown/],
  'an expired certificate': [issue('expired', { expired: true }), /has expired/],
  'a certificate of tomorrow': [issue('early', { notYetValid: true }), /not valid yet/],
  'a certificate of another authority': [
    issue('other', { issuer: stranger }),
    /not trusted|nobody can tell whether/,
  ],
  'a certificate of its own': [
    createCertificate('by-print', { purpose: 'clientAuth' }),
    /not trusted|nobody/,
  ],
  'a certificate for servers': [issue('server', { purpose: 'serverAuth' }), /not for the authentication/],
  'a revoked certificate': [revoked, /was revoked/],
};

test('where certificates are required', async (t) => {
  await using mtls = await besiegeWith('required', [revoked]);
  for (const [what, [caller]] of Object.entries(invalid))
    await t.test(`${what} ends the handshake`, async () => {
      await assert.rejects(getOnce(mtls.siege, caller, { authorization: mtls.siege.gateway.logOn() }));
    });
  await t.test('the trail counts each, with its reason and its source', async () => {
    const told = (await mtls.siege.end()).filter(({ event }) => event === 'mtls.rejected');
    const count = told.reduce((sum, { facts }) => sum + (facts?.count ?? 0), 0);
    assert.equal(count, Object.keys(invalid).length);
    assert.ok(told.every(({ facts }) => facts?.network === '127.0.0.0/24'));
    const codes = told.map(({ facts }) => facts?.code);
    for (const code of ['NO_CERTIFICATE', 'CERT_REVOKED', 'INVALID_PURPOSE', 'CERT_HAS_EXPIRED'])
      assert.ok(codes.includes(code), `${code} is among ${codes.join(', ')}`);
  });
});

/** OpenSSL lets it pass, so that only a call can be refused. */
const purposeless = createCertificate('purposeless', { issuer: root });

test('a certificate that names no purpose is refused, also where certificates are required', async () => {
  await using mtls = await besiegeWith('required');
  const answer = await getOnce(mtls.siege, purposeless, { authorization: mtls.siege.gateway.logOn() });
  assertRefusal(answer, 401);
  assert.match(answer.body, /not for the authentication/);
});

test('where refusals are explained', async (t) => {
  await using mtls = await besiegeWith('explained', [revoked]);
  for (const [what, [caller, says]] of Object.entries(invalid))
    await t.test(`${what} is answered with 401 and the reason, whatever secret comes with it`, async () => {
      const answer = await getOnce(mtls.siege, caller, { authorization: mtls.siege.gateway.logOn() });
      assertRefusal(answer, 401);
      assert.match(answer.body, says);
      assert.ok(answer.headers['www-authenticate']);
    });
  assert.equal((await getOnce(mtls.siege, byPrint)).status, 200);
  assert.equal(mtls.siege.upstream.received.length, 1);
});

test('where certificates are optional, a secret is enough, but not beside a certificate that is wrong', async () => {
  await using mtls = await besiegeWith('optional', [revoked]);
  const { siege } = mtls;
  assert.equal((await getOnce(siege, undefined, { authorization: siege.gateway.logOn() })).status, 200);
  assert.equal((await getOnce(siege, byPrint)).status, 200);
  assertRefusal(await getOnce(siege), 401);
  assertRefusal(await getOnce(siege, revoked, { authorization: siege.gateway.logOn() }), 401);
});

test('a secret on the connection of a certificate must be the same user’s', async () => {
  await using mtls = await besiegeWith('required');
  const { siege } = mtls;
  assert.equal(
    (await getOnce(siege, byPrint, { authorization: siege.gateway.logOn('by-print') })).status,
    200,
  );
  assertRefusal(await getOnce(siege, byPrint, { authorization: siege.gateway.logOn('by-key') }), 401);
  assert.equal(
    (await getOnce(siege, unmapped, { authorization: siege.gateway.logOn('by-key') })).status,
    200,
  );
});

// Row 65.
test('a revoked caller is cut off within a second, while others go on undisturbed', async () => {
  await using mtls = await besiegeWith('required');
  const { siege } = mtls;
  const other = agentOf(byKey);
  assert.equal((await get(siege, other)).status, 200);
  const kept = freeSocketOf(other);
  const { hostname: host, port } = new URL(siege.gateway.url);
  const identity = { ca: shown.certificate, key: byPrint.key, cert: byPrint.certificate };
  const open = connect({ ...identity, host, port: Number(port) });
  open.on('error', () => {}); // a reset ends it as well
  await once(open, 'secureConnect');
  open.write(`GET / HTTP/1.1\r\nHost: ${siege.gateway.authority}\r\n\r\n`);
  await once(open, 'data');
  const cut = once(open.resume(), 'close', { signal: AbortSignal.timeout(5000) });
  const since = performance.now();
  await mtls.revoke([byPrint]);
  await cut;
  assert.ok(performance.now() - since < 1000, `it took ${performance.now() - since} ms`);
  await assert.rejects(getOnce(siege, byPrint));
  assert.equal((await get(siege, other)).status, 200);
  assert.equal(freeSocketOf(other), kept);
  other.destroy();
  const told = (await siege.end()).filter(({ event }) => event === 'mtls.rejected');
  assert.ok(told.every(({ facts }) => facts?.code === 'CERT_REVOKED'));
});

test('no session is resumed where callers show certificates: each is judged anew', async () => {
  await using mtls = await besiegeWith('optional');
  const port = Number(new URL(mtls.siege.gateway.url).port);
  const shakeHands = async (session?: Buffer) => {
    const identity = { key: byPrint.key, cert: byPrint.certificate, ca: shown.certificate };
    const more: ConnectionOptions = { maxVersion: 'TLSv1.2', ...(session && { session }) };
    const socket = connect({ ...identity, ...more, host: 'localhost', port });
    await once(socket, 'secureConnect');
    const seen = { session: socket.getSession(), isResumed: socket.isSessionReused() };
    socket.destroy();
    return seen;
  };
  const { session } = await shakeHands();
  assert.ok(session);
  assert.ok(!(await shakeHands(session)).isResumed);
});

test('an authority that is not trusted any more takes its callers with it', async () => {
  await using mtls = await besiegeWith('required');
  const agent = agentOf(byPrint);
  assert.equal((await get(mtls.siege, agent)).status, 200);
  const cut = once(freeSocketOf(agent), 'close', { signal: AbortSignal.timeout(5000) });
  await mtls.trust(stranger);
  await cut;
  await assert.rejects(getOnce(mtls.siege, byPrint));
});

test('a list that cannot be read leaves the last good one in force', async () => {
  await using mtls = await besiegeWith('required', [revoked]);
  await mtls.writeList('nothing');
  const has = async (): Promise<boolean> =>
    (await mtls.siege.records()).some(({ event }) => event === 'cert.reload_failed');
  for (let tries = 0; !(await has()); tries += 1) {
    assert.ok(tries < 100, 'the trail tells of it');
    await sleep(50);
  }
  await assert.rejects(getOnce(mtls.siege, revoked));
  assert.equal((await getOnce(mtls.siege, byPrint)).status, 200);
});
