/** Callers behind a proxy that ends TLS: who is believed about the certificates that they have shown there. */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';

import type { TlsClients } from '../../src/gateway/config-certificates.ts';
import { createCertificate, type CertificateAndKey } from '../support/certificate.ts';
import {
  agentOf,
  askToken,
  besiegeByCertificate,
  between,
  get,
  getOnce,
  issue,
  own,
  permissions,
  root,
  type CertifiedSiege,
} from '../support/certified.ts';
import { eventually } from '../support/eventually.ts';
import type { RawAnswer } from '../support/raw.ts';
import { assertRefusal, recordOf } from '../support/siege.ts';

const proxy = issue('proxy', { host: 'lb.example' });
const idm = issue('idm');
const iag = issue('iag');

const print = (of: CertificateAndKey): string => hash('sha256', own(of).raw);
const callers = {
  idm: { permissions, certificates: [{ sha256: print(idm) }] },
  iag: { permissions, certificates: [{ sha256: print(iag) }] },
};
const besiegeIt = (mode: TlsClients['mode'] = 'required'): Promise<CertifiedSiege> =>
  besiegeByCertificate({ mode, callers, forwarders: [{ san: 'DNS:lb.example' }] });

/** What Envoy writes for a caller that has shown this. */
const says = ({ certificate }: CertificateAndKey) => ({
  'X-Forwarded-Client-Cert': `Hash=${hash('sha256', own({ certificate, key: '' }).raw)};Chain="${encodeURIComponent(certificate)}"`,
});

test('a listed proxy is believed about the certificate of its caller, and the trail names that', async () => {
  await using certified = await besiegeIt();
  const { siege } = certified;
  const agent = agentOf(proxy);
  for (const [caller, name] of [
    [idm, 'idm'],
    [iag, 'iag'],
    [idm, 'idm'],
  ] as const) {
    const answer = await get(siege, agent, says(caller));
    assert.equal(answer.status, 200, answer.body);
    const actor = { name, auth: 'certificate', credential: print(caller) };
    assert.deepEqual((await recordOf(siege, answer))['actor'], actor);
  }
  agent.destroy();
  assert.ok(!JSON.stringify(siege.upstream.received).toLowerCase().includes('x-forwarded-client-cert'));
});

test('nobody else is believed: the call counts as its own, and the trail tells of it', async () => {
  await using certified = await besiegeIt('optional');
  const { siege } = certified;
  assertRefusal(await getOnce(siege, undefined, says(idm)), 401);
  const answer = await getOnce(siege, iag, says(idm));
  assert.equal(answer.status, 200, answer.body);
  assert.equal(((await recordOf(siege, answer))['actor'] as { name: string }).name, 'iag');
  assert.ok(!JSON.stringify(siege.upstream.received).toLowerCase().includes('x-forwarded-client-cert'));
  const told = (await siege.end()).filter(({ facts }) => facts?.code === 'FORWARDED_BY_STRANGER');
  assert.deepEqual(
    told.map(({ event, facts }) => [event, facts?.count]),
    [['mtls.rejected', 2]],
  );
});

test('without a list of proxies the field means nothing and is not told of', async () => {
  await using certified = await besiegeByCertificate({ mode: 'required', callers });
  const answer = await getOnce(certified.siege, iag, says(idm));
  assert.equal(((await recordOf(certified.siege, answer))['actor'] as { name: string }).name, 'iag');
  assert.ok((await certified.siege.end()).every(({ event }) => event !== 'mtls.rejected'));
});

test('a proxy that is listed but shows a certificate of somebody else’s authority is not believed', async () => {
  const impostor = createCertificate('proxy', { host: 'lb.example', purpose: 'clientAuth' });
  await using certified = await besiegeIt('explained');
  assertRefusal(await getOnce(certified.siege, impostor, says(idm)), 401);
});

test('a proxy’s own certificate stands for no caller', async (t) => {
  const twice = { ...callers, lb: { permissions, certificates: [{ sha256: print(proxy) }] } };
  const forwarders = [{ san: 'DNS:lb.example' }];
  await using certified = await besiegeByCertificate({ mode: 'required', callers: twice, forwarders });
  const { siege } = certified;
  for (const [what, headers, reason] of [
    ['by itself', {}, /none was shown/],
    ['beside a secret', { authorization: siege.gateway.logOn('lb') }, /none was shown/],
    ['when it forwards itself', says(proxy), /proxy’s own/],
  ] as const)
    await t.test(what, async () => {
      const answer = await getOnce(siege, proxy, headers);
      assertRefusal(answer, 401);
      assert.match(answer.body, reason);
    });
  assert.equal((await getOnce(siege, proxy, says(idm))).status, 200);
});

test('where certificates are optional, a caller behind the proxy may come with a secret alone', async () => {
  await using certified = await besiegeIt('optional');
  const { siege } = certified;
  assert.equal((await getOnce(siege, proxy, { authorization: siege.gateway.logOn('idm') })).status, 200);
  assertRefusal(await getOnce(siege, proxy), 401);
});

const chainless = ({ certificate }: CertificateAndKey) => ({
  'X-Forwarded-Client-Cert': `Cert="${encodeURIComponent(own({ certificate, key: '' }).toString())}"`,
});
const field = 'X-Forwarded-Client-Cert';
const refused: Readonly<
  Record<string, readonly [headers: Record<string, string | string[]>, reason: RegExp]>
> = {
  'an empty field': [{ [field]: '' }, /not one element/],
  'a digest alone': [{ [field]: `Hash=${print(idm)}` }, /not one element/],
  'the fields of two proxies': [{ [field]: [says(idm)[field], says(idm)[field]] }, /not one element/],
  'the elements of two proxies': [{ [field]: `${says(idm)[field]},${says(iag)[field]}` }, /not one element/],
  'what other proxies send': [{ [field]: encodeURIComponent(idm.certificate) }, /not one element/],
  'an expired certificate': [says(issue('expired', { expired: true })), /has expired/],
  'a certificate of tomorrow': [says(issue('early', { notYetValid: true })), /not valid yet/],
  'a certificate for servers': [
    says(issue('server', { purpose: 'serverAuth' })),
    /not for the authentication/,
  ],
  'a certificate of its own': [says(createCertificate('idm', { purpose: 'clientAuth' })), /not trusted/],
  'a certificate without those between': [chainless(idm), /not trusted/],
};

test('what the proxy forwards is judged like what is shown here', async (t) => {
  await using certified = await besiegeIt();
  const { siege } = certified;
  for (const [what, [headers, reason]] of Object.entries(refused))
    await t.test(`${what} is answered with 401 and the reason, whatever secret comes with it`, async () => {
      const answer = await getOnce(siege, proxy, { ...headers, authorization: siege.gateway.logOn('idm') });
      assertRefusal(answer, 401);
      assert.match(answer.body, reason);
      assert.ok(answer.headers['www-authenticate']);
    });
  assert.deepEqual(siege.upstream.received, []);
});

test('a leaf is enough where those between are trusted themselves', async () => {
  await using certified = await besiegeIt();
  await certified.trust({ ...root, certificate: root.certificate + between.certificate });
  const answer = await answerWith(200, () => getOnce(certified.siege, proxy, chainless(idm)));
  assert.equal(answer.status, 200, answer.body);
});

test('a caller behind the proxy is refused once it is revoked, while others go on over the same connection', async () => {
  await using certified = await besiegeIt();
  const { siege } = certified;
  const agent = agentOf(proxy);
  assert.equal((await get(siege, agent, says(idm))).status, 200);
  const since = performance.now();
  await certified.revoke([idm]);
  const answer = await answerWith(401, () => get(siege, agent, says(idm)));
  assertRefusal(answer, 401);
  assert.match(answer.body, /was revoked/);
  assert.ok(performance.now() - since < 3000, `it took ${performance.now() - since} ms`);
  assert.equal((await get(siege, agent, says(iag))).status, 200);
  agent.destroy();
});

test('a caller behind the proxy is refused once its certificate has ended', async () => {
  const brief = issue('brief', { endsInMs: 4000 });
  const match = { permissions, certificates: [{ sha256: print(brief) }] };
  const forwarders = [{ sha256: print(proxy) }];
  await using certified = await besiegeByCertificate({
    mode: 'required',
    callers: { brief: match },
    forwarders,
  });
  const agent = agentOf(proxy);
  assert.equal((await get(certified.siege, agent, says(brief))).status, 200);
  const answer = await answerWith(401, () => get(certified.siege, agent, says(brief)));
  assertRefusal(answer, 401);
  assert.match(answer.body, /has expired/);
  agent.destroy();
});

test('a proxy that is revoked is cut off with all that it forwards', async () => {
  await using certified = await besiegeIt();
  const agent = agentOf(proxy);
  assert.equal((await get(certified.siege, agent, says(idm))).status, 200);
  const [socket] = Object.values(agent.freeSockets).flat();
  assert.ok(socket);
  const cut = once(socket, 'close', { signal: AbortSignal.timeout(10_000) });
  await certified.revoke([proxy]);
  await cut;
  await assert.rejects(getOnce(certified.siege, proxy, says(idm)));
});

test('a token is bound to the caller’s certificate, not to the proxy’s', async () => {
  await using certified = await besiegeIt('optional');
  const { siege } = certified;
  const given = await askToken(siege, proxy, { client_id: 'idm' }, says(idm));
  assert.equal(given.status, 200, given.body);
  const authorization = `Bearer ${JSON.parse(given.body).access_token}`;
  assert.equal((await getOnce(siege, proxy, { ...says(idm), authorization })).status, 200);
  assert.equal((await getOnce(siege, idm, { authorization })).status, 200, 'also without the proxy');
  for (const headers of [{}, says(iag)]) {
    const answer = await getOnce(siege, proxy, { ...headers, authorization });
    assertRefusal(answer, 401);
    assert.match(answer.headers['www-authenticate'] ?? '', /invalid_token/);
  }
});

/** Asks until the answer has the status, and gives it. */
async function answerWith(status: number, ask: () => Promise<RawAnswer>): Promise<RawAnswer> {
  let answer = await ask();
  await eventually(async () => {
    if (answer.status !== status) answer = await ask();
    return answer.status === status;
  }, 20_000);
  return answer;
}
