/** The configuration changes while the gateway runs: what comes into force when, what is refused, and what is told. */
import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { parse, stringify } from 'yaml';

import { startChild, type Child } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import { readRecords, systemId, type TrailRecord } from '../support/gateway.ts';
import { prepareInstallation, type Installation } from '../support/installation.ts';
import { sendScim, startUpstream, type TestUpstream } from '../support/upstream.ts';

interface Change {
  readonly setting: string;
  readonly old?: unknown;
  readonly new?: unknown;
  readonly actor: { readonly occasion: string; readonly file: string; readonly uid: number };
}

interface Service extends Installation, AsyncDisposable {
  readonly directory: string;
  readonly upstream: TestUpstream;
  readonly child: Child;
  get(path?: string): Promise<Response>;
  edit(change: (config: Document) => void): Promise<void>;
  recordsOf(event: string): Promise<TrailRecord[]>;
  changes(): Promise<Change[]>;
}

/** The configuration file as far as these tests change it. */
interface Document {
  listen: { port: number };
  limits?: { body?: string; target?: number };
  callers: Record<string, { permissions: { access: string[] }[]; limits?: { concurrency: number } }>;
  tenants: { acme: { credential: object; deadlines?: object } };
}

async function startService(
  prepare: (directory: string) => Promise<void> = async () => {},
): Promise<Service> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-config-'));
  starting.defer(() => directory.remove());
  const upstream = starting.use(await startUpstream());
  const installation = await prepareInstallation(directory.path, upstream.url);
  await prepare(directory.path);
  const child = await startChild(installation.file);
  starting.defer(async () => void (await child.end('SIGKILL')));
  const running = starting.move();
  const base = `${child.url}/ipsproxy/service/api/v1/scim/${systemId}`;
  const recordsOf = async (event: string): Promise<TrailRecord[]> =>
    (await readRecords(join(directory.path, 'audit'))).filter((record) => record.event === event);
  return {
    ...installation,
    directory: directory.path,
    upstream,
    child,
    recordsOf,
    get: (path = `/Users/${crypto.randomUUID()}`) =>
      fetch(`${base}${path}`, {
        headers: { authorization: installation.authorization },
        signal: AbortSignal.timeout(40_000),
      }),
    async edit(change) {
      const config: Document = parse(await readFile(installation.file, 'utf8'));
      change(config);
      await writeFile(installation.file, stringify(config));
    },
    // Facts differ from event to event; these are the ones that docs/audit-format.md names for this event.
    changes: async () => (await recordsOf('config.changed')).map(({ facts }) => facts as unknown as Change),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const callerOf = ({ callers }: Document) => {
  const { caller } = callers;
  assert.ok(caller);
  return caller;
};
const forbidReading = (config: Document): void => {
  callerOf(config).permissions = [{ ...callerOf(config).permissions[0], access: ['write'] }];
};

test('a right that the file takes away is gone soon, and the trail says what changed, from what to what', async () => {
  await using service = await startService();
  assert.equal((await service.get()).status, 200);
  await service.edit(forbidReading);
  await eventually(async () => (await service.get()).status === 403);
  const [change, ...more] = await service.changes();
  assert.equal(more.length, 0);
  assert.equal(change?.setting, 'callers.caller.permissions');
  assert.match(JSON.stringify(change.old), /"access":\["read","write"\]/);
  assert.match(JSON.stringify(change.new), /"access":\["write"\]/);
  assert.deepEqual(change.actor, { occasion: 'file', file: service.file, uid: process.getuid?.() });
});

test('a higher limit of a caller lets its waiting calls go on', async () => {
  await using service = await startService();
  const setLimit = async (concurrency: number): Promise<void> => {
    const count = (await service.changes()).length;
    await service.edit((config) => (callerOf(config).limits = { concurrency }));
    await eventually(async () => (await service.changes()).length > count);
  };
  await setLimit(1);
  const { upstream } = service;
  const { answer } = upstream;
  const held: (() => void)[] = [];
  upstream.answer = (...asked) => void held.push(() => answer(...asked));
  const answers = [1, 2, 3].map(() => service.get());
  await eventually(async () => held.length === 1);
  await sleep(200);
  assert.equal(held.length, 1);
  await setLimit(3);
  await eventually(async () => held.length === 3);
  for (const release of held) release();
  for (const answered of answers) assert.equal((await answered).status, 200);
});

test('SIGHUP reads the configuration at once', async () => {
  await using service = await startService();
  await service.edit(forbidReading);
  service.child.process.kill('SIGHUP');
  await eventually(async () => (await service.get()).status === 403);
  assert.equal((await service.changes())[0]?.actor.occasion, 'signal');
});

test('a configuration with a fault leaves the last good one in force, and comes in when it is corrected', async () => {
  await using service = await startService();
  await service.edit((config) => {
    forbidReading(config);
    config.limits = { body: 'enormous' };
  });
  await eventually(async () => (await service.recordsOf('config.refused')).length === 1);
  assert.match(JSON.stringify(await service.recordsOf('config.refused')), /"settings":\["limits\.body"\]/);
  assert.equal((await service.get()).status, 200);
  assert.deepEqual(await service.changes(), []);
  await service.edit((config) => delete config.limits);
  await eventually(async () => (await service.get()).status === 403);
});

test('what needs a restart is named, and nothing of that configuration comes into force', async () => {
  await using service = await startService();
  await service.edit((config) => {
    forbidReading(config);
    config.listen.port = 1;
  });
  await eventually(async () => (await service.recordsOf('config.refused')).length === 1);
  assert.match(JSON.stringify(await service.recordsOf('config.refused')), /"settings":\["listen\.port"\]/);
  assert.equal((await service.get()).status, 200);
});

test('a secret for the tenant is exchanged with its file, and the trail has the fact alone', async () => {
  const write = (directory: string, secret: string): Promise<void> =>
    writeFile(join(directory, 'tenant'), secret, { mode: 0o600 });
  await using service = await startService((directory) => write(directory, 'first-of-the-tenant'));
  const sent = async (): Promise<string | undefined> => {
    await service.get();
    return service.upstream.received.at(-1)?.headers.authorization;
  };
  const basic = (secret: string): string => `Basic ${Buffer.from(`gatehouse:${secret}`).toString('base64')}`;
  await service.edit((config) => {
    config.tenants.acme.credential = { type: 'basic', user: 'gatehouse', secret: { file: 'tenant' } };
  });
  await eventually(async () => (await sent()) === basic('first-of-the-tenant'));
  await write(service.directory, 'second-of-the-tenant');
  await eventually(async () => (await sent()) === basic('second-of-the-tenant'));
  const told = (await service.changes()).at(-1);
  assert.deepEqual(
    { setting: told?.setting, old: told?.old, new: told?.new },
    { setting: 'tenants.acme.credential.secret', old: '***', new: '***' },
  );
  const file = join(service.directory, 'tenant');
  assert.deepEqual(told?.actor, { occasion: 'file', file, uid: process.getuid?.() });
  assert.doesNotMatch(JSON.stringify(await service.changes()), /of-the-tenant/);
});

test('a call that runs keeps the configuration that it began with', async () => {
  await using service = await startService();
  const arrived = Promise.withResolvers<() => void>();
  service.upstream.answer = ({ url }, response) => {
    const answer = (): void => sendScim(response, 200, { schemas: [], id: '1' });
    if (url.endsWith('/1')) arrived.resolve(answer);
    else answer();
  };
  const running = service.get('/Users/1');
  const release = await arrived.promise;
  await service.edit(forbidReading);
  await eventually(async () => (await service.get('/Users/2')).status === 403);
  release();
  assert.equal((await running).status, 200);
});

test('a swap of the link above the configuration, as Kubernetes makes it, is seen', async () => {
  await using service = await startService(async (directory) => {
    const at = (name: string): string => join(directory, name);
    for (const name of ['..one', '..two']) await mkdir(at(name));
    const text = await readFile(at('gatehouse.yaml'), 'utf8');
    const config: Document = parse(text);
    forbidReading(config);
    await writeFile(at('..one/gatehouse.yaml'), text);
    await writeFile(at('..two/gatehouse.yaml'), stringify(config));
    await symlink('..one', at('..data'));
    await rename(at('gatehouse.yaml'), at('before.yaml'));
    await symlink('..data/gatehouse.yaml', at('gatehouse.yaml'));
  });
  assert.equal((await service.get()).status, 200);
  await symlink('..two', join(service.directory, '..data_tmp'));
  await rename(join(service.directory, '..data_tmp'), join(service.directory, '..data'));
  await eventually(async () => (await service.get()).status === 403);
});
