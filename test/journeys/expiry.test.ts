/** What ends soon is in the trail of a running gateway, and `gatehouse check` warns of it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { stringify } from 'yaml';

import { hashSecret } from '../../src/auth/secret.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { createCertificate } from '../support/certificate.ts';
import { soundDocument } from '../support/configuration.ts';
import { startGateway } from '../support/gateway.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');
/** It ends in two days, as all of the tests do. */
const own = createCertificate();

test('a start tells the trail which certificates end soon, once', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-expiry-'));
  const file = join(directory.path, 'own.pem');
  await writeFile(file, own.certificate);
  const tls = { certificate: { file }, key: new Secret(own.key) };
  await using gateway = await startGateway({ config: { admin: { port: 0, tls } } });
  await gateway.call('GET', '/Users?count=1');
  const told = (await gateway.records()).filter(({ event }) => event.endsWith('.expiring'));
  assert.deepEqual(
    told.map(({ event }) => event),
    ['cert.expiring'],
  );
  const { notAfter, ...facts } = (told[0]?.facts ?? {}) as Record<string, unknown>;
  assert.deepEqual(facts, { what: 'admin.tls.certificate', subject: 'CN=localhost', daysLeft: 1 });
  assert.ok(Math.abs(Date.parse(String(notAfter)) - Date.now() - 2 * 86_400_000) < 60_000);
});

test('check warns of what ends within thirty days, and calls the configuration sound', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-expiry-'));
  const place = (name: string): string => join(directory.path, name);
  await writeFile(place('own.pem'), own.certificate);
  await writeFile(place('own.key'), own.key, { mode: 0o600 });
  const hash = await hashSecret('a secret that somebody chose');
  const notAfter = '2020-01-01T00:00:00Z';
  await writeFile(place('secrets.yaml'), stringify({ 'sap-idm': [{ hash, notAfter }] }), { mode: 0o600 });
  const tls = { certificate: { file: 'own.pem' }, key: { file: 'own.key' } };
  const audit = { directory: '/var/lib/gatehouse/audit' };
  const config = place('gatehouse.yaml');
  await writeFile(
    config,
    stringify({ ...soundDocument(), audit, secretsFile: 'secrets.yaml', listen: { tls } }),
  );
  const check = (...args: string[]) =>
    promisify(execFile)(process.execPath, [main, 'check', '--config', config, ...args], {
      env: { ...process.env, ACME_SECRET: 'kept to ourselves' },
    });
  const { stdout } = await check();
  assert.match(stdout, /the configuration is sound/);
  assert.match(stdout, /warning: listen\.tls\.certificate: CN=localhost ends within 2 days: 20/);
  assert.match(stdout, /warning: secretsFile: A secret of sap-idm has ended: 2020-01-01T00:00:00\.000Z/);
  const { warnings } = JSON.parse((await check('--json')).stdout);
  assert.equal(warnings.length, 2);
});
