/** `deploy/redis/prepare.sh`: what it makes fits together, and a renewed certificate is trusted beside the one before. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtempDisposable, readFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

const script = resolve(import.meta.dirname, '../../deploy/redis/prepare.sh');
const run = promisify(execFile);
const prepare = (...args: readonly string[]) => run('sh', [script, ...args]);

/** Whether whoever trusts `redis-ca.pem` of `site` takes the certificate that Redis has in `shown`. */
function trusts(site: string, shown: string): Promise<boolean> {
  const [authorities, certificate] = [
    join(site, 'gatehouse/tls/redis-ca.pem'),
    join(shown, 'redis/tls/redis.crt'),
  ];
  return run('openssl', ['verify', '-CAfile', authorities, certificate]).then(
    () => true,
    ({ code }: { code?: unknown }) => {
      assert.equal(code, 2);
      return false;
    },
  );
}

test('a certificate of Redis is renewed without a time in which the gateway trusts none', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-prepare-'));
  const [site, before, other] = ['site', 'before', 'other'].map((name) => join(directory.path, name));
  assert.ok(site && before && other);
  await prepare(site);
  assert.ok(await trusts(site, site));
  await cp(site, before, { recursive: true });
  await prepare('--renew', site);
  assert.equal(await trusts(before, site), false, 'its authority is a new one');
  assert.deepEqual([await trusts(site, site), await trusts(site, before)], [true, true]);
  const kept = ['gatehouse/secrets/redis-url', 'redis/users.acl', 'redis/redis.conf'];
  for (const name of kept)
    assert.equal(await readFile(join(site, name), 'utf8'), await readFile(join(before, name), 'utf8'));
  assert.equal((await stat(join(site, 'redis/tls/redis.key'))).mode & 0o777, 0o600);
  await prepare('--renew', site);
  assert.equal(await trusts(site, before), false, 'nobody shows the first one any more');
  await assert.rejects(prepare(site), /is there already/);
  await assert.rejects(prepare('--renew', other), /nothing to renew/);
});

for (const [host, verified] of [
  ['redis.corp.example.com', '-verify_hostname'],
  ['10.30.0.10', '-verify_ip'],
] as const)
  test(`with --host ${host} certificate and address are for it, and a renewal keeps it`, async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-prepare-'));
    const site = directory.path;
    const authorities = join(site, 'gatehouse/tls/redis-ca.pem');
    const verify = () =>
      run('openssl', ['verify', '-CAfile', authorities, verified, host, join(site, 'redis/tls/redis.crt')]);
    await prepare('--host', host, site);
    await verify();
    const address = await readFile(join(site, 'gatehouse/secrets/redis-url'), 'utf8');
    assert.equal(new URL(address).host, `${host}:6379`);
    await prepare('--renew', site);
    await verify();
  });

test('what is no host is wrong usage, and nothing is made', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-prepare-'));
  const site = join(directory.path, 'site');
  for (const host of ['redis,DNS:other', 'redis:6379', '', '--renew'])
    await assert.rejects(prepare('--host', host, site), { code: 4, stderr: /--host HOST/ });
  await assert.rejects(prepare('--host', '10.30.0.999', site), { code: 1, stderr: /10\.30\.0\.999/ });
  await assert.rejects(stat(site), { code: 'ENOENT' });
});
