/** The certificate of the listener is exchanged while it runs, and never for one that would not do. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmod, mkdir, mkdtempDisposable, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';

import { parse, stringify } from 'yaml';

import { createCertificate, type CertificateAndKey } from '../support/certificate.ts';
import { startChild } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import { readRecords, type TrailRecord } from '../support/gateway.ts';
import { prepareInstallation } from '../support/installation.ts';
import { besiege, type Siege } from '../support/siege.ts';
import { startUpstream } from '../support/upstream.ts';

async function writePair(directory: string, { certificate, key }: CertificateAndKey): Promise<void> {
  await writeFile(join(directory, 'tls.crt'), certificate);
  await writeFile(join(directory, 'tls.key'), key, { mode: 0o600 });
}

const tlsIn = (directory: string) => ({
  certificate: { file: join(directory, 'tls.crt') },
  key: { file: join(directory, 'tls.key') },
});

/** A besieged gateway that shows the pair in a directory. */
async function besiegeTls(pair: CertificateAndKey) {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-reload-'));
  starting.defer(() => directory.remove());
  await writePair(directory.path, pair);
  const siege = starting.use(await besiege({ config: { listen: { port: 0, tls: tlsIn(directory.path) } } }));
  const running = starting.move();
  return { siege, directory: directory.path, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

interface Hello {
  readonly certificate: string | undefined;
  readonly isResumed: boolean;
  readonly session: Buffer | undefined;
}

async function shakeHands(url: string, session?: Buffer): Promise<Hello> {
  const port = Number(new URL(url).port);
  // A version whose handshake is over when its ticket is there.
  const socket = connect({
    port,
    host: '127.0.0.1',
    rejectUnauthorized: false,
    maxVersion: 'TLSv1.2',
    ...(session && { session }),
  });
  await once(socket, 'secureConnect');
  const hello = {
    certificate: socket.getPeerX509Certificate()?.toString().trim(),
    isResumed: socket.isSessionReused(),
    session: socket.getSession(),
  };
  socket.destroy();
  return hello;
}

const shows =
  ({ gateway }: Siege, { certificate }: CertificateAndKey) =>
  async (): Promise<boolean> =>
    (await shakeHands(gateway.url)).certificate === certificate.trim();

const has = (siege: Siege, event: string) => async (): Promise<boolean> =>
  (await siege.records()).some((record) => record.event === event);

const first = createCertificate('first');
const second = createCertificate('second');

test('a new pair is shown soon after it was written, and open connections go on', async () => {
  await using tls = await besiegeTls(first);
  const { gateway } = tls.siege;
  const agent = new https.Agent({ ca: first.certificate, keepAlive: true, maxSockets: 1 });
  const get = async () => {
    const headers = { authorization: gateway.logOn() };
    const asked = https.get(`${gateway.base}/Users/1`, { agent, headers });
    const [answer] = await once(asked, 'response');
    await once(answer.resume(), 'end');
    return { status: answer.statusCode, reused: asked.reusedSocket };
  };
  assert.deepEqual(await get(), { status: 200, reused: false });
  await writePair(tls.directory, second);
  await eventually(shows(tls.siege, second));
  assert.deepEqual(await get(), { status: 200, reused: true });
  agent.destroy();
  const told = (await tls.siege.end()).filter(({ event }) => event.startsWith('cert.'));
  assert.equal(told.at(-1)?.event, 'cert.reloaded');
  assert.match(JSON.stringify(told.at(-1)), /"sha256":"[0-9a-f]{64}","notAfter":"20/);
});

test('a swap of the link above the files, as Kubernetes makes it, is seen', async () => {
  await using mount = await mkdtempDisposable(join(tmpdir(), 'gatehouse-mount-'));
  const at = (name: string): string => join(mount.path, name);
  for (const [name, pair] of [
    ['..one', first],
    ['..two', second],
  ] as const) {
    await mkdir(at(name));
    await writePair(at(name), pair);
  }
  await symlink('..one', at('..data'));
  for (const file of ['tls.crt', 'tls.key']) await symlink(join('..data', file), at(file));
  await using siege = await besiege({ config: { listen: { port: 0, tls: tlsIn(mount.path) } } });
  assert.ok(await shows(siege, first)());
  await symlink('..two', at('..data_tmp'));
  await rename(at('..data_tmp'), at('..data'));
  await eventually(shows(siege, second));
});

test('session tickets end with the certificate under which they were given', async () => {
  await using tls = await besiegeTls(first);
  const { url } = tls.siege.gateway;
  const { session } = await shakeHands(url);
  assert.ok((await shakeHands(url, session)).isResumed);
  await writePair(tls.directory, second);
  await eventually(shows(tls.siege, second));
  assert.ok(!(await shakeHands(url, session)).isResumed);
});

const { certificate, key } = second;
const unfit: Readonly<Record<string, readonly [pair: CertificateAndKey, reason: RegExp]>> = {
  'a key of another certificate': [{ certificate, key: first.key }, /does not belong/],
  'an expired certificate': [createCertificate('second', { expired: true }), /expired/],
  'a certificate of tomorrow': [createCertificate('second', { notYetValid: true }), /not valid yet/],
  'no certificate': [{ certificate: 'nothing', key }, /holds no PEM certificate/],
  'a broken intermediate certificate': [
    { key, certificate: `${certificate}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n` },
    /cannot be read/,
  ],
};
for (const [what, [pair, reason]] of Object.entries(unfit))
  test(`${what} is not shown: the last good one stays, and the trail says why`, async () => {
    await using tls = await besiegeTls(first);
    await writePair(tls.directory, pair);
    await eventually(has(tls.siege, 'cert.reload_failed'));
    assert.ok(await shows(tls.siege, first)());
    await writePair(tls.directory, second);
    await eventually(shows(tls.siege, second));
    const records = await tls.siege.end();
    const failed = records.find(({ event }) => event === 'cert.reload_failed');
    assert.match(JSON.stringify(failed?.facts), reason);
  });

test('a key that others may read is not taken', async () => {
  await using tls = await besiegeTls(first);
  await writePair(tls.directory, second);
  await chmod(join(tls.directory, 'tls.key'), 0o644);
  await eventually(has(tls.siege, 'cert.reload_failed'));
});

test('SIGHUP reads the certificate and the secrets again', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-sighup-'));
  await using upstream = await startUpstream();
  const { file } = await prepareInstallation(directory.path, upstream.url);
  await writePair(directory.path, first);
  const config = parse(await readFile(file, 'utf8'));
  await writeFile(file, stringify({ ...config, listen: { port: 0, tls: tlsIn(directory.path) } }));
  const child = await startChild(file);
  const records = (): Promise<TrailRecord[]> => readRecords(join(directory.path, 'audit'));
  try {
    child.process.kill('SIGHUP');
    for (const wanted of ['cert.reloaded', 'secret.reloaded'])
      await eventually(async () => (await records()).some(({ event }) => event === wanted));
    assert.ok((await shakeHands(child.url)).certificate === first.certificate.trim());
  } finally {
    assert.equal(await child.end('SIGTERM'), 0);
  }
});
