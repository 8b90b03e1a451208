/** What suites for TLS try at the listener: old versions, weak suites, a second negotiation, and bytes that are no TLS. */
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';

import { Secret } from '../../src/gateway/secret.ts';
import { createCertificate } from '../support/certificate.ts';
import { RawConnection, request } from '../support/raw.ts';
import { besiege, type Siege } from '../support/siege.ts';
import { credential, pace } from './plain-stage.ts';
import { closed, refused, served, type Case, type Stage } from './row.ts';
import type { Scene } from './scene.ts';

const shown = createCertificate();
const legacy = 'ALL:COMPLEMENTOFALL:@SECLEVEL=0';

async function besiegeShown(): Promise<Siege> {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-handshake-'));
  const file = join(directory.path, 'tls.crt');
  await writeFile(file, shown.certificate);
  const tls = { certificate: { file }, key: new Secret(shown.key) };
  const siege = await besiege({
    tenant: { credential, pace },
    config: { listen: { port: 0, tls }, limits: { headersTime: '1s' } },
  });
  return {
    ...siege,
    async [Symbol.asyncDispose]() {
      await siege[Symbol.asyncDispose]();
      await directory.remove();
    },
  };
}

const asks = (scene: Scene): string => request(scene.head('GET', scene.path));

const shakes = (sent: string, options: ConnectionOptions, expected: Case['expected']): Case => ({
  sent,
  play: async (scene) => void (await scene.sendTls({ ca: shown.certificate, ...options }, asks(scene))),
  expected,
});

const refusedTls = (sent: string, options: ConnectionOptions): Case =>
  shakes(sent, options, closed(refused('alert', 'tls.handshake_failed')));

const weak = (ciphers: string): Case =>
  refusedTls(ciphers, { maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` });

/** Bytes to the port as they are, where TLS should be. */
const raw = (sent: string, bytes: string | Buffer, events = 'tls.handshake_failed'): Case => ({
  sent,
  play: async (scene) => {
    using connection = await scene.open();
    connection.send(bytes);
    const begunAt = performance.now();
    await connection.gone();
    if (performance.now() - begunAt < 5000) scene.found.add('soon');
    scene.connection = 'closed';
    // An alert is no answer of ours; anything readable would be.
    if (!connection.unread.includes('HTTP')) scene.answers.push('none');
  },
  expected: closed(refused('none', events)),
  besides: { 'it is cut soon': ({ found }) => found.has('soon') },
});

async function renegotiate(scene: Scene): Promise<void> {
  const { hostname: host, port } = new URL(scene.siege.gateway.url);
  const socket = connect({ ca: shown.certificate, host, port: Number(port), maxVersion: 'TLSv1.2' });
  await once(socket, 'secureConnect');
  const refusal = once(socket, 'error').then(([error]) => String(error));
  const agreed = Promise.withResolvers<string>();
  socket.renegotiate({}, (error) => agreed.resolve(String(error ?? 'agreed')));
  if (/no renegotiation/.test(await Promise.race([agreed.promise, refusal]))) scene.found.add('refused');
  socket.destroy();
}

export const handshakes: Stage = {
  title: 'under what suites for TLS try',
  open: besiegeShown,
  async serves({ gateway, head }) {
    using connection = await RawConnection.openTls(gateway.authority, { ca: shown.certificate });
    connection.send(request(head('GET', '/Users/alive')));
    const { status } = await connection.answer();
    if (status !== 200) throw new Error(`the gateway does not serve any more: ${status}`);
  },
  rows: [
    {
      row: 'TLS versions',
      situation: 'versions of the protocol',
      cases: [
        shakes('TLS 1.3', { minVersion: 'TLSv1.3' }, served()),
        shakes('TLS 1.2', { maxVersion: 'TLSv1.2' }, served()),
        refusedTls('TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: legacy }),
        refusedTls('TLS 1.0', { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: legacy }),
        raw(
          'a hello of SSL 2',
          Buffer.from('802e0100020015000000100100800200800300800400800500800600400700c0', 'hex'),
        ),
        raw('a hello of SSL 3', Buffer.from('160300002f0100002b0300'.padEnd(104, '0'), 'hex')),
      ],
    },
    {
      row: 'TLS suites',
      situation: 'suites that are too weak',
      cases: [
        shakes(
          'ECDHE-ECDSA-AES128-GCM-SHA256',
          { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
          served(),
        ),
        ...[
          'ECDHE-ECDSA-AES128-SHA',
          'ECDHE-ECDSA-AES256-SHA384',
          'AES128-GCM-SHA256',
          'AES128-SHA',
          'DHE-RSA-AES256-GCM-SHA384',
          'aNULL',
          'eNULL',
          'PSK',
        ].map(weak),
        refusedTls('signatures with SHA-1', {
          maxVersion: 'TLSv1.2',
          sigalgs: 'ECDSA+SHA1',
          ciphers: 'DEFAULT:@SECLEVEL=0',
        }),
        refusedTls('the curve secp521r1 alone', { ecdhCurve: 'secp521r1' }),
      ],
    },
    {
      row: 'TLS names',
      situation: 'names and protocols inside the handshake',
      cases: [
        shakes('no SNI', { servername: '' }, served()),
        shakes('ALPN http/1.1', { ALPNProtocols: ['http/1.1'] }, served()),
        shakes('ALPN h2, http/1.1', { ALPNProtocols: ['h2', 'http/1.1'] }, served()),
        refusedTls('ALPN h2 alone', { ALPNProtocols: ['h2'] }),
        refusedTls('ALPN smb', { ALPNProtocols: ['smb'] }),
      ],
    },
    {
      row: 'TLS again',
      situation: 'a second negotiation',
      cases: [
        {
          sent: 'renegotiation in TLS 1.2',
          play: renegotiate,
          expected: refused('', 'none'),
          besides: { 'it is refused': ({ found }) => found.has('refused') },
        },
      ],
    },
    {
      row: 'no TLS',
      situation: 'bytes that are no TLS',
      cases: [
        raw('a request in clear', 'GET / HTTP/1.1\r\nHost: gateway\r\n\r\n'),
        raw('a heartbeat', Buffer.from('1803020003014000', 'hex')),
        raw('an early change of cipher', Buffer.from('140303000101', 'hex')),
        raw('an alert', Buffer.from('15030100020228', 'hex')),
        raw('half a hello, then silence', Buffer.from('16030100a5010000a10303', 'hex')),
        raw('a record of 64 kB', Buffer.concat([Buffer.from('160301ffff', 'hex'), Buffer.alloc(65_535)])),
      ],
    },
  ],
};
