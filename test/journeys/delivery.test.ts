/** Delivery as part of the whole gateway: what hangs delays no call, and what kills the process loses nothing. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { parse, stringify } from 'yaml';

import { Secret } from '../../src/gateway/secret.ts';
import { startChild } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, systemId, type TestGateway, type TrailRecord } from '../support/gateway.ts';
import { prepareInstallation } from '../support/installation.ts';
import { startSyslogServer, withoutDuplicates } from '../support/syslog-server.ts';
import { startUpstream } from '../support/upstream.ts';

/** Takes connections, reads nothing and says nothing. */
async function startSilent(): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets: Socket[] = [];
  const server: Server = createServer({ pauseOnConnect: true }, (socket) => void sockets.push(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      sockets.forEach((socket) => socket.destroy());
      server.close();
      await once(server, 'close');
    },
  };
}

const pace = { perMinute: 90_000, burst: 10_000, tenantLimit: 100_000, minute: '1s', concurrency: 64 };

/** How many writes eight callers get answered in this time. */
async function callsWithin(gateway: TestGateway, ms: number): Promise<number> {
  const until = performance.now() + ms;
  let answered = 0;
  const caller = async (n: number): Promise<void> => {
    for (let turn = 0; performance.now() < until; turn += 1) {
      const { status } = await gateway.call('PUT', `/Users/${n}-${turn}`, { userName: 'somebody' });
      assert.equal(status, 200);
      answered += 1;
    }
  };
  await Promise.all(Array.from({ length: 8 }, (_, n) => caller(n)));
  return answered;
}

async function figure({ adminUrl }: TestGateway, name: string, destination: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const prefix = `gatehouse_delivery_${name}{destination="${destination}"} `;
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(prefix))
      ?.slice(prefix.length),
  );
}

test('destinations that hang leave calls alone, and show it', async (t) => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-hang-'));
  await using silent = await startSilent();
  await using upstream = await startUpstream();
  const pipe = join(directory.path, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const destinations = {
    syslog: { type: 'syslog', host: '127.0.0.1', port: silent.port, timeout: '1s' },
    webhook: {
      type: 'webhook',
      url: `http://127.0.0.1:${silent.port}/`,
      secret: new Secret('kept to ourselves'),
      timeout: '1s',
    },
    pipe: { type: 'file', path: pipe, timeout: '1s' },
  } as const;
  const common = { upstream: upstream.url, tenant: { pace } };
  const audit = { directory: 'audit', instance: 'test', keyFile: 'keys/audit.key' };
  await using plain = await startGateway({ ...common, config: { audit } });
  await using hanging = await startGateway({ ...common, config: { audit: { ...audit, destinations } } });
  const counts = { plain: 0, hanging: 0 };
  for (let round = 0; round < 4; round += 1) {
    counts.plain += await callsWithin(plain, 700);
    counts.hanging += await callsWithin(hanging, 700);
  }
  t.diagnostic(JSON.stringify(counts));
  assert.ok(counts.hanging > counts.plain * 0.3, JSON.stringify(counts));
  for (const name of Object.keys(destinations)) {
    assert.equal(await figure(hanging, 'working', name), 0, name);
    // What lies behind is counted now and then.
    await eventually(async () => (await figure(hanging, 'lag_records', name)) > counts.hanging, 30_000);
    assert.equal(await figure(hanging, 'sent', name), 0, name);
  }
  const failing = async (): Promise<TrailRecord[]> =>
    (await hanging.records()).filter(({ event }) => event === 'audit.delivery_failing');
  await eventually(async () => (await failing()).length >= 3, 30_000);
  const told = (await failing()).map(({ facts }) => (facts as { readonly destination?: string }).destination);
  assert.deepEqual(new Set(told), new Set(Object.keys(destinations)));
});

test('a collector gets the whole trail, the end of the process included', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-collector-'));
  const path = join(directory.path, 'collected.jsonl');
  const audit = { directory: join(directory.path, 'audit'), instance: 'test', keyFile: 'keys/audit.key' };
  const destinations = { collector: { type: 'file', path } } as const;
  {
    await using gateway = await startGateway({ config: { audit: { ...audit, destinations } } });
    await gateway.call('GET', '/Users?count=2');
    await eventually(async () => (await figure(gateway, 'sent', 'collector')) > 2);
    assert.equal(await figure(gateway, 'working', 'collector'), 1);
  }
  const collected = (await readFile(path, 'utf8')).split('\n').filter(Boolean);
  const records = collected.map((line) => JSON.parse(line).record).filter(({ seq }) => seq !== undefined);
  const files = (await readdir(join(audit.directory, 'test'))).filter((name) => name.endsWith('.jsonl'));
  const lines = await Promise.all(files.map((name) => readFile(join(audit.directory, 'test', name), 'utf8')));
  const written = lines.flatMap((text) => text.split('\n').filter(Boolean)).map((line) => JSON.parse(line));
  assert.deepEqual(records, written);
  assert.equal(records.at(-1).event, 'audit.segment_closed');
});

test('kill -9 of the gateway in the middle loses nothing of what rsyslogd gets', async (t) => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-kill-'));
  await using server = await startSyslogServer();
  await using upstream = await startUpstream();
  const { file, authorization } = await prepareInstallation(directory.path, upstream.url);
  const { ca, certificate, key } = server.files;
  const siem = {
    type: 'syslog',
    host: 'localhost',
    port: server.port,
    ca: { file: ca },
    clientCertificate: { certificate: { file: certificate }, key: { file: key } },
    resend: '1s',
  };
  const config = parse(await readFile(file, 'utf8'));
  await writeFile(file, stringify({ ...config, audit: { ...config.audit, destinations: { siem } } }));
  for (let kill = 0; kill < 4; kill += 1) {
    const child = await startChild(file);
    const until = performance.now() + 1500 + kill * 300;
    const call = async (n: number): Promise<void> => {
      for (let turn = 0; performance.now() < until; turn += 1) {
        const path = `/ipsproxy/service/api/v1/scim/${systemId}/Users/${n}-${turn}`;
        const response = await fetch(`${child.url}${path}`, {
          method: 'PUT',
          headers: { authorization, 'content-type': 'application/scim+json' },
          body: '{"userName":"somebody"}',
        });
        await response.arrayBuffer();
        await sleep(5);
      }
    };
    await Promise.all(Array.from({ length: 4 }, (_, n) => call(n)));
    await child.end('SIGKILL');
  }
  const last = await startChild(file);
  const trail = join(directory.path, 'audit', 'test');
  assert.equal(await last.end('SIGTERM'), 0);
  const files = (await readdir(trail)).filter((name) => /^audit-.*\.jsonl$/.test(name)).toSorted();
  const written = (await Promise.all(files.map((name) => readFile(join(trail, name), 'utf8')))).join('');
  const lines = written.split('\n').filter(Boolean);
  const arrived = async (): Promise<string[]> =>
    withoutDuplicates(await server.received()).map(({ body }) => body);
  await eventually(async () => (await arrived()).length >= lines.length, 20_000);
  assert.deepEqual(await arrived(), lines);
  const total = (await server.received()).length;
  t.diagnostic(`${lines.length} records, ${total} messages`);
});

test('another destination comes into force on SIGHUP, and the one before is told of it', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-other-'));
  await using upstream = await startUpstream();
  const { file } = await prepareInstallation(directory.path, upstream.url);
  const config = parse(await readFile(file, 'utf8'));
  const [before, after] = ['before', 'after'].map((name) => join(directory.path, name));
  const deliverTo = (path = ''): Promise<void> => {
    const destinations = { collector: { type: 'file', path, events: ['config.*', 'process.*'] } };
    return writeFile(file, stringify({ ...config, audit: { ...config.audit, destinations } }));
  };
  const eventsIn = async (path = ''): Promise<string[]> => {
    const text = await readFile(path, 'utf8').catch(() => ''); // nothing was delivered yet
    return text
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).record.event);
  };
  await deliverTo(before);
  const child = await startChild(file);
  await using _ = { [Symbol.asyncDispose]: async () => void (await child.end('SIGKILL')) };
  let log = '';
  child.process.stdout?.on('data', (text: Buffer) => (log += text.toString()));
  await eventually(async () => (await eventsIn(before)).length > 0);
  await deliverTo(after);
  child.process.kill('SIGHUP');
  await eventually(async () => log.includes('the configuration was read again'), 20_000);
  assert.equal(await child.end('SIGTERM'), 0);
  assert.deepEqual(await eventsIn(before), ['process.start', 'config.changed']);
  assert.deepEqual(await eventsIn(after), ['process.stop']);
});
