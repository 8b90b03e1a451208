/** What is delivered agrees with the schema: both configurations, the generated files, and `gatehouse check`. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';

import { parse } from 'yaml';
import { z } from 'zod';

import { references } from '../../src/cli/reference.ts';
import {
  alternativesOf,
  configJsonSchema,
  entryOf,
  isSchema,
  propertiesOf,
} from '../../src/gateway/config-json-schema.ts';
import type { JsonSchema } from '../../src/gateway/config-json-schema.ts';
import { loadConfig } from '../../src/gateway/config.ts';
import { createCertificate, createRevocationList } from '../support/certificate.ts';

const root = resolve(import.meta.dirname, '../..');
const example = join(root, 'config/gatehouse.example.yaml');
const env = { ACME_TEST_CLIENT_SECRET: 'nobody-knows' };

for (const [path, content] of Object.entries(references()))
  test(`${path.slice(root.length + 1)} is what the schema says (otherwise run: node src/cli/reference.ts)`, async () => {
    assert.equal(await readFile(path, 'utf8'), content);
  });

test('every key has a meaning', () => {
  assert.deepEqual(keysWithoutMeaning('', configJsonSchema()), []);
});

function keysWithoutMeaning(path: string, schema: JsonSchema): string[] {
  const items = isSchema(schema.items) ? schema.items : undefined;
  const inner = [entryOf(schema), items]
    .filter(isSchema)
    .flatMap((below) => keysWithoutMeaning(`${path}.*`, below));
  const own = alternativesOf(schema).flatMap((form) =>
    propertiesOf(form).flatMap(([key, property]) => [
      ...(property.description ? [] : [`${path}.${key}`]),
      ...keysWithoutMeaning(`${path}.${key}`, property),
    ]),
  );
  return [...own, ...inner];
}

for (const name of ['gatehouse.yaml', 'gatehouse.example.yaml'])
  test(`an editor finds no fault in config/${name}`, async () => {
    const schema = z.fromJSONSchema(configJsonSchema());
    const result = schema.safeParse(parse(await readFile(join(root, 'config', name), 'utf8')));
    assert.deepEqual(result.error?.issues ?? [], []);
  });

test('an editor finds the fault in a configuration that has one', () => {
  assert.equal(z.fromJSONSchema(configJsonSchema()).safeParse({ patience: 30 }).success, false);
});

test('the configuration of a first start is sound as it is', () => {
  const { systems, callers, firstStart, listen } = loadConfig(join(root, 'config/gatehouse.yaml'), {});
  assert.equal(listen.host, '127.0.0.1');
  assert.equal(firstStart.generateSecrets, true);
  assert.equal(Object.keys(systems).length, 2);
  assert.equal(Object.keys(callers).length, 3);
});

test('the example is sound once its files exist', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-'));
  const config = loadConfig(await prepareExample(directory.path), env);
  assert.equal(config.systems['people']?.kind, 'scim');
  assert.equal(config.tenants['acme-test']?.credential?.type, 'oauth');
  assert.equal(config.cache.redis?.url?.reveal(), 'rediss://gatehouse:pw@redis.example.com:6379/0');
});

test('the example shows every key', async () => {
  const text = await readFile(example, 'utf8');
  const missing = propertyNames(configJsonSchema()).filter((key) => !new RegExp(`\\b${key}:`).test(text));
  assert.deepEqual(missing, []);
});

function propertyNames(schema: JsonSchema): string[] {
  const items = isSchema(schema.items) ? schema.items : undefined;
  const inner = [entryOf(schema), items].filter(isSchema).flatMap(propertyNames);
  const own = alternativesOf(schema).flatMap((form) =>
    propertiesOf(form).flatMap(([key, property]) => [key, ...propertyNames(property)]),
  );
  return [...new Set([...own, ...inner])];
}

/** Copies the example and makes the files that it names. */
async function prepareExample(directory: string): Promise<string> {
  const file = join(directory, 'gatehouse.yaml');
  await copyFile(example, file);
  const own = createCertificate();
  for (const [name, content] of [
    ['tls/gatehouse.crt', own.certificate],
    ['tls/gatehouse.key', own.key],
    ['tls/partners.crt', own.certificate],
    ['tls/partners.key', own.key],
    ['tls/admin.crt', own.certificate],
    ['tls/admin.key', own.key],
    ['tls/gatehouse-client.crt', own.certificate],
    ['tls/gatehouse-client.key', own.key],
    ['tls/company-ca.pem', own.certificate],
    ['tls/callers-ca.crt', own.certificate],
    ['tls/callers.crl', createRevocationList(own, [])],
    ['secrets/redis-url', 'rediss://gatehouse:pw@redis.example.com:6379/0\n'],
    ['secrets/acme', 'correct-horse-battery\n'],
    ['secrets/splunk-token', 'correct-horse-battery\n'],
    ['secrets/webhook', 'correct-horse-battery\n'],
    ['secrets/mail-password', 'correct-horse-battery\n'],
    ['secrets/directory', 'correct-horse-battery\n'],
    ['secrets/console-client', 'correct-horse-battery\n'],
  ] as const) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), content, { mode: 0o600 });
  }
  return file;
}

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command in a process of its own, because it reads the environment and writes to standard output. */
function check(args: readonly string[], variables: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const program = [join(root, 'src/main.ts'), 'check', ...args];
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const child = execFile(
    process.execPath,
    program,
    { env: { PATH: '', ...variables } },
    (_, stdout, stderr) => resolve({ status: child.exitCode, stdout, stderr }),
  );
  return promise;
}

test('check calls the delivered configuration sound', async () => {
  const { status, stdout } = await check([]);
  assert.match(stdout, /the configuration is sound/);
  assert.equal(status, 0);
});

test('check lists every fault with its remedy', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-'));
  const file = await prepareExample(directory.path);
  await chmod(join(directory.path, 'secrets/acme'), 0o644);
  const { status, stdout } = await check(['--config', file]);
  assert.match(stdout, /2 faults/);
  assert.match(stdout, /tenants\.acme\.credential\.secret: others can access .*\n {4}remedy: chmod 0600/);
  assert.match(stdout, /tenants\.acme-test\.credential\.secret: .*ACME_TEST_CLIENT_SECRET is not set/);
  assert.equal(status, 1);
});

test('check tells a program the same as JSON', async () => {
  const { status, stdout } = await check(['--json'], { GATEHOUSE_PATIENCE: 'long' });
  const told: unknown = JSON.parse(stdout);
  assert.equal(status, 1);
  assert.partialDeepStrictEqual(told, { sound: false, faults: [{ path: 'patience' }] });
});

test('check explains itself', async () => {
  assert.match((await check(['--help'])).stdout, /^usage: gatehouse check/);
});

test('check refuses what it does not understand', async () => {
  const { status, stderr } = await check(['--jason']);
  assert.match(stderr, /--jason/);
  assert.equal(status, 4);
});
