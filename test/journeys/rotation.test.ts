/**
 * Everything that has an end is exchanged while fifty callers are at work: the listener's certificate, the list of
 * revoked callers, the secret and the configuration. Only those who are revoked may notice.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempDisposable, readFile, rename, writeFile } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';

import { parse, stringify } from 'yaml';

import { generateSecret, hashSecret } from '../../src/auth/secret.ts';
import { createCertificate, createRevocationList } from '../support/certificate.ts';
import { startChild } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import { systemId } from '../support/gateway.ts';
import { prepareInstallation } from '../support/installation.ts';
import { startUpstream } from '../support/upstream.ts';

const rounds = 5;
const callersAtWork = 50;
const longestTarget = 511;
const authority = createCertificate('authority');
const issueToListener = () => createCertificate('localhost', { issuer: authority, purpose: 'serverAuth' });
const clients = createCertificate('clients');
const issueToCaller = () => createCertificate('caller', { issuer: clients, purpose: 'clientAuth' });

interface Rights {
  readonly permissions: readonly object[];
  readonly certificates?: readonly object[];
}

interface Document {
  callers: Record<string, Rights>;
}

async function install(upstreamUrl: string) {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-rotation-'));
  starting.defer(() => directory.remove());
  const at = (name: string): string => join(directory.path, name);
  const { file } = await prepareInstallation(directory.path, upstreamUrl);
  /** As a careful administrator does it: no reader sees half a file. */
  const put = async (name: string, text: string): Promise<void> => {
    await writeFile(at(`${name}.new`), text, { mode: 0o600 });
    await rename(at(`${name}.new`), at(name));
  };
  const edit = async (change: (config: Document & Record<string, unknown>) => void): Promise<void> => {
    const config = parse(await readFile(file, 'utf8'));
    change(config);
    await put('gatehouse.yaml', stringify(config));
  };
  const running = starting.move();
  return { file, put, edit, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

test('certificate, revocation list, secret and configuration are exchanged five times each, and no call fails', async () => {
  await using upstream = await startUpstream({ remembers: false });
  await using installation = await install(upstream.url);
  const { put, edit } = installation;
  const showListener = async (): Promise<string> => {
    const { certificate, key } = issueToListener();
    await put('tls.crt', certificate);
    await put('tls.key', key);
    return certificate.trim();
  };
  const secrets = [generateSecret()];
  const writeBook = async (): Promise<void> =>
    put(
      'secrets.yaml',
      stringify({
        caller: await Promise.all(secrets.map(async (each) => ({ hash: await hashSecret(each) }))),
      }),
    );
  const revoked: ReturnType<typeof issueToCaller>[] = [];
  await showListener();
  await put('clients.crt', clients.certificate);
  await put('clients.crl', createRevocationList(clients, revoked));
  await writeBook();
  await edit((config) => {
    const rights = config.callers['caller'];
    assert.ok(rights);
    config.callers['certified'] = { ...rights, certificates: [{ san: 'DNS:localhost' }] };
    config['limits'] = { target: longestTarget };
    config['listen'] = {
      port: 0,
      tls: {
        certificate: { file: 'tls.crt' },
        key: { file: 'tls.key' },
        clients: { ca: { file: 'clients.crt' }, crl: { file: 'clients.crl' }, mode: 'optional' },
      },
    };
  });
  const child = await startChild(installation.file);
  let isOver = false;
  const finish = (): void => void (isOver = true);
  try {
    const { port } = new URL(child.url);
    const base = `/ipsproxy/service/api/v1/scim/${systemId}`;
    const basic = (secret: string): string => `Basic ${Buffer.from(`caller:${secret}`).toString('base64')}`;
    const send = async (
      agent: https.Agent,
      method: string,
      headers: Record<string, string>,
      id: string = crypto.randomUUID(),
    ): Promise<number> => {
      const asked = https.request(`https://localhost:${port}${base}/Users/${id}`, {
        agent,
        method,
        headers: { ...headers, ...(method === 'PUT' && { 'content-type': 'application/scim+json' }) },
      });
      asked.end(method === 'PUT' ? '{"userName":"somebody"}' : undefined);
      const [answer] = await once(asked, 'response');
      await once(answer.resume(), 'end');
      return Number(answer.statusCode);
    };

    const failures: string[] = [];
    const answers = { read: 0, written: 0 };
    let current = secrets[0] ?? '';
    const work = async (number: number): Promise<void> => {
      // Some open a connection for every call, as callers behind short-lived proxies do.
      const agent = new https.Agent({ ca: authority.certificate, keepAlive: number % 5 > 0, maxSockets: 1 });
      const method = number % 2 === 0 ? 'GET' : 'PUT';
      while (!isOver) {
        const status = await send(agent, method, { authorization: basic(current) }).catch(String);
        if (status === 200) answers[method === 'GET' ? 'read' : 'written'] += 1;
        else failures.push(`${method}: ${status}`);
        await sleep(20);
      }
      agent.destroy();
    };
    const atWork = Promise.all(Array.from({ length: callersAtWork }, (_, number) => work(number)));

    const shown = async (): Promise<string | undefined> => {
      const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const certificate = socket.getPeerX509Certificate()?.toString().trim();
      socket.destroy();
      return certificate;
    };
    const strangers = new https.Agent({ ca: authority.certificate });
    const statusOf = (secret: string, id?: string) =>
      send(strangers, 'GET', { authorization: basic(secret) }, id);

    for (let round = 0; round < rounds; round += 1) {
      const certificate = await showListener();
      await eventually(async () => (await shown()) === certificate);

      const victim = issueToCaller();
      const agent = new https.Agent({
        ca: authority.certificate,
        key: victim.key,
        cert: victim.certificate,
        keepAlive: true,
        maxSockets: 1,
      });
      assert.equal(await send(agent, 'GET', {}), 200);
      const [kept] = Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []);
      assert.ok(kept);
      const cut = once(kept, 'close', { signal: AbortSignal.timeout(10_000) });
      kept.on('error', () => {}); // a reset ends it as well
      revoked.push(victim);
      await put('clients.crl', createRevocationList(clients, revoked));
      await cut;

      const before = current;
      secrets.push(generateSecret());
      await writeBook();
      const next = secrets.at(-1) ?? '';
      await eventually(async () => (await statusOf(next)) === 200);
      current = next;
      await sleep(500); // calls with the secret before are still on their way
      secrets.shift();
      await writeBook();
      await eventually(async () => (await statusOf(before)) === 401);

      const longest = 'x'.repeat(longestTarget + round + 1 - `${base}/Users/`.length);
      assert.equal(await statusOf(next, longest), 414);
      await edit((config) => (config['limits'] = { target: longestTarget + round + 1 }));
      await eventually(async () => (await statusOf(next, longest)) === 200);
    }
    await sleep(500);
    finish();
    await atWork;
    assert.deepEqual(failures, []);
    assert.ok(
      answers.read > 100 && answers.written > 100,
      `${answers.read} read, ${answers.written} written`,
    );
  } finally {
    finish();
    assert.equal(await child.end('SIGTERM'), 0);
  }
});
