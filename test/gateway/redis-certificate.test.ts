/** The certificate that Redis shows is watched as those of the configuration are, although no file of ours holds it. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { createCertificate } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
import { freePort, startRedis } from '../support/redis.ts';

test('the end of the certificate of Redis is a figure, and announced in the trail', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-redis-'));
  const issuer = createCertificate('an authority', { endsInMs: 90 * 86_400_000 });
  const { certificate, key } = createCertificate('localhost', { issuer, endsInMs: 2.5 * 86_400_000 });
  const inPlace = (name: string): string => join(directory.path, name);
  await writeFile(inPlace('redis.crt'), certificate);
  await writeFile(inPlace('redis.key'), key);
  await writeFile(inPlace('ca.pem'), issuer.certificate);
  const port = await freePort();
  await using _ = await startRedis([
    '--tls-port',
    `${port}`,
    '--tls-auth-clients',
    'no',
    '--tls-ca-cert-file',
    inPlace('ca.pem'),
    '--tls-cert-file',
    inPlace('redis.crt'),
    '--tls-key-file',
    inPlace('redis.key'),
  ]);
  const redis = { url: `rediss://localhost:${port}`, tls: { ca: { file: inPlace('ca.pem') } } };
  await using gateway = await startGateway({ config: { cache: { store: 'redis', redis } } });
  const end = async (): Promise<number | undefined> => {
    const figures = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    const [, seconds] =
      /^gatehouse_end_timestamp_seconds\{[^}]*what="cache\.redis"[^}]*\} (\S+)$/m.exec(figures) ?? [];
    return seconds === undefined ? undefined : Number(seconds) - Date.now() / 1000;
  };
  await eventually(async () => (await end()) !== undefined);
  const days = ((await end()) ?? 0) / 86_400;
  assert.ok(days > 2.3 && days <= 2.5, String(days));
  const told = async () =>
    (await gateway.records()).find(
      ({ event, facts }) => event === 'cert.expiring' && facts && 'what' in facts,
    );
  await eventually(async () => (await told()) !== undefined);
  assert.partialDeepStrictEqual((await told())?.facts, {
    what: 'cache.redis',
    subject: 'CN=localhost',
    daysLeft: 2,
  });
});
