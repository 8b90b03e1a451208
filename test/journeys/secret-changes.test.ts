/** Secrets come and go while the gateway runs: the trail says whose, which, until when, and whose file said it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { parse, stringify } from 'yaml';

import { readSecrets } from '../../src/auth/secret-file.ts';
import { generateSecret, hashSecret } from '../../src/auth/secret.ts';
import { startChild } from '../support/child.ts';
import { eventually } from '../support/eventually.ts';
import { readRecords, systemId, type TrailRecord } from '../support/gateway.ts';
import { prepareInstallation } from '../support/installation.ts';
import { startUpstream } from '../support/upstream.ts';

interface Told {
  readonly setting: string;
  readonly holder: string;
  readonly added: readonly { readonly id: string; readonly notAfter?: string }[];
  readonly removed: Told['added'];
  readonly moved: Told['added'];
  readonly actor: { readonly occasion: string; readonly file: string; readonly uid: number };
}

interface Service extends AsyncDisposable {
  readonly directory: string;
  readonly url: string;
  records(): Promise<TrailRecord[]>;
  /** All that the trail says of secrets, once it says so many things. */
  told(count: number): Promise<Told[]>;
  /** `gatehouse secret …`; gives what it shows. */
  secret(...args: readonly string[]): Promise<string>;
}

const main = resolve(import.meta.dirname, '../../src/main.ts');
const uid = process.getuid?.();

/** With one technical user `caller` and one local account `admin` of the console. */
async function startService(): Promise<Service> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-secrets-'));
  starting.defer(() => directory.remove());
  const upstream = starting.use(await startUpstream());
  const { file } = await prepareInstallation(directory.path, upstream.url);
  const account = { admin: [{ hash: await hashSecret(generateSecret()) }] };
  await writeFile(join(directory.path, 'console.yaml'), stringify(account), { mode: 0o600 });
  const accounts = { admin: { role: 'administrator' } };
  const console = { accounts, secretsFile: 'console.yaml', indexDirectory: 'index' };
  const config = { ...parse(await readFile(file, 'utf8')), admin: { port: 0, console } };
  await writeFile(file, stringify(config));
  const child = await startChild(file);
  starting.defer(async () => void (await child.end('SIGKILL')));
  const records = (): Promise<TrailRecord[]> => readRecords(join(directory.path, 'audit'));
  const running = starting.move();
  return {
    directory: directory.path,
    url: child.url,
    records,
    async told(count) {
      let found: Told[] = [];
      await eventually(async () => {
        const changed = (await records()).filter(({ event }) => event === 'secret.changed');
        // Facts differ from event to event; these are the ones that docs/audit-format.md names for this event.
        found = changed.map(({ facts }) => facts as unknown as Told);
        return found.length >= count;
      });
      assert.equal(found.length, count);
      return found;
    },
    async secret(...args) {
      const command = [main, 'secret', ...args, '--config', file];
      return (await promisify(execFile)(process.execPath, command)).stdout.trim();
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

const credentialOf = ({ actor }: TrailRecord): unknown =>
  (actor as { credential?: string } | undefined)?.credential;
const basic = (user: string, secret: string): string =>
  `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;

test('a new secret is in the trail before anybody uses it, under the id that its log-ons have', async () => {
  await using service = await startService();
  const secret = await service.secret('new', 'caller', '--expires', '90d');
  const [{ added, removed, moved, ...told } = assert.fail()] = await service.told(1);
  const file = join(service.directory, 'secrets.yaml');
  const actor = { occasion: 'file', file, uid };
  assert.deepEqual(told, { setting: 'secretsFile', holder: 'caller', actor });
  assert.deepEqual([added.length, removed, moved], [1, [], []]);
  const [, { notAfter = Number.NaN, hash } = assert.fail()] = (await readSecrets(file)).get('caller') ?? [];
  assert.equal(Date.parse(added[0]?.notAfter ?? ''), notAfter);
  const headers = { authorization: basic('caller', secret) };
  await fetch(`${service.url}/ipsproxy/service/api/v1/scim/${systemId}/Users/1`, { headers });
  const named = async (): Promise<boolean> =>
    (await service.records()).some((record) => credentialOf(record) === added[0]?.id);
  await eventually(named);
  const text = JSON.stringify(await service.records());
  assert.ok(!text.includes(secret) && !text.includes(hash.slice('sha256:'.length)));
});

test('a rotation tells when the old secret ends, and an entry deleted by hand that it is gone', async () => {
  await using service = await startService();
  await service.secret('rotate', 'caller', '--grace', '7d');
  const [rotated = assert.fail()] = await service.told(1);
  assert.deepEqual([rotated.added.length, rotated.removed, rotated.moved.length], [1, [], 1]);
  const days = (Date.parse(rotated.moved[0]?.notAfter ?? '') - Date.now()) / 86_400_000;
  assert.ok(days > 6.9 && days <= 7);
  const file = join(service.directory, 'secrets.yaml');
  const { caller } = parse(await readFile(file, 'utf8'));
  await writeFile(file, stringify({ caller: caller.slice(1) }));
  const [, deleted = assert.fail()] = await service.told(2);
  assert.deepEqual(deleted.removed, rotated.moved);
  assert.deepEqual([deleted.added, deleted.moved], [[], []]);
});

test('a second secret of an administrator of the console is in the trail when it is made', async () => {
  await using service = await startService();
  await service.secret('new', 'admin', '--console');
  const [{ added, ...told } = assert.fail()] = await service.told(1);
  const actor = { occasion: 'file', file: join(service.directory, 'console.yaml'), uid };
  const setting = 'admin.console.secretsFile';
  assert.deepEqual(told, { setting, holder: 'admin', removed: [], moved: [], actor });
  assert.match(added[0]?.id ?? '', /^[\w-]{22}$/);
});
