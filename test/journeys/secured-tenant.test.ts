/** A tenant behind TLS: the client certificate that the gateway shows, and the way through a company's proxy. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import https from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TLSSocket } from 'node:tls';

import { Secret } from '../../src/gateway/secret.ts';
import { createCertificate } from '../support/certificate.ts';
import { startGateway } from '../support/gateway.ts';
import { sendScim, startUpstream } from '../support/upstream.ts';

const server = createCertificate();

async function writeTemporary(text: string): Promise<string> {
  const file = join(tmpdir(), `gatehouse-${crypto.randomUUID()}.pem`);
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

test('the gateway shows its client certificate, and a credential of type certificate needs no header', async () => {
  const client = createCertificate('gatehouse');
  const seen: (string | undefined)[] = [];
  const options = { key: server.key, cert: server.certificate, ca: client.certificate, requestCert: true };
  await using tenant = https.createServer(options, (request, response) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    seen.push(String(subject.CN), request.headers.authorization);
    sendScim(response, 200, { id: '1' });
  });
  tenant.listen(0, '127.0.0.1');
  await once(tenant, 'listening');
  await using gateway = await startGateway({
    upstream: `https://127.0.0.1:${(tenant.address() as AddressInfo).port}`,
    tenant: {
      credential: { type: 'certificate' },
      ca: { file: await writeTemporary(server.certificate) },
      clientCertificate: {
        certificate: { file: await writeTemporary(client.certificate) },
        key: new Secret(client.key),
      },
    },
  });
  assert.equal((await gateway.call('GET', '/Users/1')).status, 200);
  assert.deepEqual(seen, ['gatehouse', undefined]);
  tenant.closeAllConnections();
});

test('an https tenant is reached through a tunnel of the outbound proxy, which sees no content', async () => {
  await using upstream = await startUpstream({ tls: { key: server.key, cert: server.certificate } });
  const tunnels: string[] = [];
  await using proxy = http.createServer();
  proxy.on('connect', (request, caller) => {
    tunnels.push(`${request.url} ${request.headers['proxy-authorization']}`);
    const tenant = net.connect(Number(new URL(`http://${request.url}`).port), '127.0.0.1', () => {
      caller.write('HTTP/1.1 200 Connection established\r\n\r\n');
      caller.pipe(tenant).pipe(caller);
    });
    for (const socket of [caller, tenant]) socket.on('error', () => tenant.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  {
    await using gateway = await startGateway({
      upstream: upstream.url,
      tenant: {
        ca: { file: await writeTemporary(server.certificate) },
        outboundProxy: { url: new Secret(`http://user:pw@127.0.0.1:${port}`) },
      },
    });
    for (const id of ['1', '2']) assert.equal((await gateway.call('GET', `/Users/${id}`)).status, 200);
    assert.equal((await gateway.call('PUT', '/Users/1', { userName: 'a' })).status, 200);
  }
  const tunnel = `${new URL(upstream.url).host} Basic ${btoa('user:pw')}`;
  assert.deepEqual(tunnels, [tunnel, tunnel], 'the reads share one tunnel, the write has its own');
  assert.equal(upstream.received.length, 3);
});
