/** What ends is announced before it does, once for each threshold, and whoever replaces it hears no more of it. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { parseConfig } from '../../src/gateway/config.ts';
import {
  describeWarning,
  endsIn,
  ExpiryWatch,
  secretEnds,
  warningsOf,
  type Expiring,
  type Warning,
} from '../../src/gateway/expiry.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { createCertificate, createRevocationList } from '../support/certificate.ts';
import { soundDocument } from '../support/configuration.ts';

const dayMs = 86_400_000;
const end = Date.UTC(2027, 5, 1);
const secret = secretEnds([{ user: 'idm', notAfter: end }]);

/** A watch whose time is told by the test, in days before the end. */
function watching(ends: () => readonly Expiring[]) {
  const told: Warning[] = [];
  let now = 0;
  const watch = new ExpiryWatch({ ends, tell: (warning) => told.push(warning), now: () => now });
  return {
    told,
    /** The days left of each warning that this time brought. */
    at(daysBefore: number): number[] {
      now = end - daysBefore * dayMs;
      watch.check();
      return told.splice(0).map(({ daysLeft }) => daysLeft);
    },
    [Symbol.dispose]: () => watch[Symbol.dispose](),
  };
}

test('an end is told once at 30, 14, 7 and 1 days, and once more when it is there', () => {
  using watch = watching(() => secret);
  const days = [31, 30.5, 30, 29.5, 15, 14, 13, 7, 7, 6, 1.5, 1, 0.5, 0, -1, -40];
  assert.deepEqual(
    days.map((day) => watch.at(day)),
    [[], [], [30], [], [], [14], [], [7], [], [], [], [1], [], [0], [], []],
  );
});

test('whoever starts late hears only of the threshold that counts now', () => {
  using watch = watching(() => secret);
  assert.deepEqual([watch.at(5), watch.at(4), watch.at(0.9)], [[5], [], [0]]);
});

test('what is replaced is not told again, and its successor has thresholds of its own', () => {
  let ends = secret;
  using watch = watching(() => ends);
  assert.deepEqual(watch.at(6), [6]);
  ends = secretEnds([{ user: 'idm', notAfter: end + 100 * dayMs }]);
  assert.deepEqual(watch.at(5), []);
  ends = secretEnds([{ user: 'idm', notAfter: end + 8 * dayMs }]);
  assert.deepEqual(watch.at(5), [13]);
});

test('the same certificate in two copies of one file is told once', () => {
  using watch = watching(() => [...secret, ...secret]);
  assert.deepEqual(watch.at(3), [3]);
});

test('the timer does not keep the process alive', () => {
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  using _watch = watching(() => []);
  assert.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, before);
});

const own = createCertificate();
const ca = createCertificate('ca');
const other = createCertificate('other-ca');
const list = createRevocationList(ca, []);

async function withFiles(change: (document: ConfigDocument) => ConfigDocument) {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-expiry-'));
  const write = (name: string, text: string): Promise<void> => writeFile(join(directory.path, name), text);
  await write('own.pem', own.certificate);
  await write('ca.pem', ca.certificate + other.certificate);
  await write('list.pem', list);
  // A document of text, as a file has it; the schema says what it is when it is parsed.
  const sound = soundDocument() as unknown as ConfigDocument;
  const document = change({
    ...sound,
    tenants: { acme: { url: 'https://t.example', credential: { type: 'none' } } },
  });
  const config = parseConfig(document, directory.path);
  return { config, write, [Symbol.asyncDispose]: () => directory.remove() };
}

const pair = { certificate: { file: 'own.pem' }, key: new Secret(own.key) };
const everywhere = (document: ConfigDocument): ConfigDocument => ({
  ...document,
  listen: {
    tls: { ...pair, clients: { ca: { file: 'ca.pem' }, crl: { file: 'list.pem' }, mode: 'optional' } },
  },
  listeners: { inner: { port: 0, tls: pair } },
  admin: { tls: pair },
  tenants: { acme: { ...document.tenants['acme'], ca: { file: 'ca.pem' }, clientCertificate: pair } },
  cache: { store: 'redis', redis: { url: 'rediss://r', tls: { ca: { file: 'ca.pem' } } } },
});

test('certificates, authorities and lists are found wherever the configuration names them', async () => {
  await using files = await withFiles(everywhere);
  assert.deepEqual(
    endsIn(files.config).map(({ what, subject }) => (subject === undefined ? what : `${what} ${subject}`)),
    [
      'listen.tls.certificate CN=localhost',
      'listen.tls.clients.ca CN=ca',
      'listen.tls.clients.ca CN=other-ca',
      'listen.tls.clients.crl',
      'listeners.inner.tls.certificate CN=localhost',
      'admin.tls.certificate CN=localhost',
      'tenants.acme.ca CN=ca',
      'tenants.acme.ca CN=other-ca',
      'tenants.acme.clientCertificate.certificate CN=localhost',
      'cache.redis.tls.ca CN=ca',
      'cache.redis.tls.ca CN=other-ca',
    ],
  );
});

test('the end of a certificate is the one that is in it', async () => {
  await using files = await withFiles((document) => ({ ...document, admin: { tls: pair } }));
  const [found] = endsIn(files.config);
  const notAfter = new X509Certificate(own.certificate).validToDate.getTime();
  assert.equal(found?.notAfter, notAfter);
  const [warning] = warningsOf(endsIn(files.config), notAfter - 5.5 * dayMs);
  assert.ok(warning);
  const told = `admin.tls.certificate (CN=localhost) ends within 6 days: ${new Date(notAfter).toISOString()}`;
  assert.equal(describeWarning(warning), told);
});

test('a list is announced in the last third of its life at the earliest', async () => {
  await using files = await withFiles(everywhere);
  const crl = endsIn(files.config).filter(({ what }) => what.endsWith('.crl'));
  // From two days ago to one day ahead: a day is a third of it.
  assert.deepEqual(
    crl.map(({ thresholds }) => thresholds),
    [[0, 1]],
  );
});

test('a file that was replaced counts as it is now, and one that is broken as it was', async () => {
  await using files = await withFiles((document) => ({ ...document, admin: { tls: pair } }));
  const ends = () => endsIn(files.config).map(({ subject }) => subject);
  await files.write('own.pem', createCertificate('renewed').certificate);
  assert.deepEqual(ends(), ['CN=renewed']);
  await files.write('own.pem', '-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----\n');
  assert.deepEqual(ends(), ['CN=localhost']);
});
