/** Holds every import of `src/` against the table of ARCHITECTURE.md, so that the rule is visible and kept. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '../src');

/** Folder → folders it may import besides itself; files directly below src stand for themselves. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  scim: [],
  'log.ts': [],
  'version.ts': [],
  'thread.ts': [],
  'aes-gcm.ts': [],
  'redis-wait.ts': [],
  'redis-circuit.ts': ['redis-wait.ts'],
  'redis-epochs.ts': ['redis-wait.ts'],
  'file-desk.ts': ['log.ts'],
  auth: ['scim', 'log.ts', 'redis-circuit.ts'],
  cache: ['scim', 'log.ts', 'aes-gcm.ts', 'redis-wait.ts', 'redis-epochs.ts'],
  pages: ['scim', 'log.ts', 'redis-circuit.ts'],
  snapshot: ['scim', 'log.ts', 'redis-circuit.ts', 'redis-epochs.ts', 'cache', 'pages'],
  pace: ['scim', 'log.ts', 'redis-circuit.ts'],
  guard: ['scim', 'log.ts', 'redis-circuit.ts', 'file-desk.ts'],
  writes: ['scim', 'log.ts', 'aes-gcm.ts', 'redis-circuit.ts'],
  profile: ['scim', 'log.ts', 'redis-circuit.ts'],
  audit: ['scim', 'log.ts', 'aes-gcm.ts', 'thread.ts'],
  transformation: [],
  ips: ['scim', 'transformation'],
  delivery: ['scim', 'log.ts', 'audit'],
  alerts: ['scim', 'log.ts', 'audit', 'delivery'],
  console: ['scim', 'log.ts', 'thread.ts', 'audit'],
  gateway: [
    'scim',
    'log.ts',
    'file-desk.ts',
    'redis-wait.ts',
    'auth',
    'cache',
    'pages',
    'snapshot',
    'pace',
    'writes',
    'guard',
    'profile',
    'audit',
    'delivery',
    'alerts',
    'console',
  ],
  doctor: ['scim', 'log.ts', 'pace', 'audit', 'gateway'],
  cli: ['*'],
  'main.ts': ['*'],
};

/** Package → the only files that may know it; its types stay behind them. */
const confined: Readonly<Record<string, RegExp>> = {
  express: /^(?:gateway\/app\.ts|ips\/|console\/)/,
  'http-proxy-middleware': /^gateway\/forward\.ts$/,
  passport: /^auth\/identify\.ts$/,
  'passport-http': /^auth\/identify\.ts$/,
  jose: /^auth\/issuer\.ts$/,
  'prom-client': /^console\/metrics\.ts$/,
  'openid-client': /^console\/oidc\.ts$/,
  nodemailer: /^alerts\/mail\.ts$/,
  ioredis: /redis|gateway\/kinship\.ts/,
  winston: /^log\.ts$/,
  '@node-rs/argon2': /^auth\/secret\.ts$/,
};

interface Import {
  readonly from: string;
  readonly to: string;
}

const imports: Import[] = globSync('**/*.ts', { cwd: root }).flatMap((from) => {
  const text = readFileSync(resolve(root, from), 'utf8');
  const found = text.matchAll(/(?:^|\n)(?:import|export)[^;]*?from '([^']+)'|import\('([^']+)'\)/g);
  return [...found].map(([, fixed, lazy]) => ({ from, to: fixed ?? lazy ?? '' }));
});

const folderOf = (path: string): string => path.split('/')[0] ?? '';

test('every folder imports only the folders that the table allows', () => {
  const offences = imports
    .filter(({ to }) => to.startsWith('.'))
    .map(({ from, to }) => ({ from, to: relative(root, resolve(root, dirname(from), to)) }))
    .filter(({ from, to }) => {
      const allowed = mayImport[folderOf(from)];
      if (!allowed) return true;
      return folderOf(from) !== folderOf(to) && !allowed.includes('*') && !allowed.includes(folderOf(to));
    });
  assert.deepEqual(offences, []);
});

test('a package is known only to the files that wrap it', () => {
  const offences = imports.filter(({ from, to }) => confined[to] !== undefined && !confined[to].test(from));
  assert.deepEqual(offences, []);
});

test('the table knows every folder', () => {
  const folders = new Set(globSync('**/*.ts', { cwd: root }).map(folderOf));
  assert.deepEqual(
    [...folders].filter((folder) => !(folder in mayImport)),
    [],
  );
});

test('every file opens with what it is for', () => {
  const silent = globSync('**/*.ts', { cwd: root }).filter(
    (file) => !readFileSync(resolve(root, file), 'utf8').startsWith('/**'),
  );
  assert.deepEqual(silent, []);
});

test('nobody imports from a folder as a whole', () => {
  assert.deepEqual(
    imports.filter(({ to }) => to.startsWith('.') && !to.endsWith('.ts')),
    [],
  );
});

test('the console’s page shares only the words of its endpoints with the server', () => {
  const page = globSync('console/web/*.{ts,tsx}', { cwd: root });
  const outside = page.flatMap((file) =>
    [...readFileSync(resolve(root, file), 'utf8').matchAll(/from '(\.\.\/[^']+|node:[^']+)'/g)].map(
      ([, to]) => ({ file, to }),
    ),
  );
  assert.ok(page.length > 0);
  assert.deepEqual(
    outside.filter(({ to }) => !to?.startsWith('../api/')),
    [],
  );
});
