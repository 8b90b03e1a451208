/** `gatehouse init`: from a repository's CSV to a configuration that starts, and to the same repository through us. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chown, mkdir, mkdtempDisposable, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { parse } from 'yaml';

import { readRepository } from '../../src/cli/repository-csv.ts';
import { loadConfig } from '../../src/gateway/config.ts';
import { idmCsv } from '../../src/ips/idm-csv.ts';
import { createCertificate } from '../support/certificate.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');
const run = promisify(execFile);
const systemId = '0b7c1c52-1f5e-4b4e-9f57-6a2f0d3c9a11';

/** As a tenant exports it, with what an administrator has entered since. */
function exported(changes: Readonly<Record<string, string>> = {}): string {
  const address = new URL('https://acme.accounts.ondemand.com');
  const csv = idmCsv({ name: 'SAC PROXY', systemId, address, assignment: 'PATCH' });
  const { columns } = readRepository('exported', csv);
  const values = [...columns].map(([name, value]) => changes[name] ?? value);
  return `${[...columns.keys()].join(',')},\n${values.map((value) => (value ? `"${value}",` : ',')).join('')}`;
}

async function init(directory: string, csv: string, ...more: string[]) {
  const file = join(directory, 'sac.csv');
  const out = join(directory, 'gatehouse');
  await writeFile(file, csv);
  const host = ['--host', 'gatehouse.dmz.example.com'];
  const { stdout } = await run(process.execPath, [
    main,
    'init',
    '--from-csv',
    file,
    ...host,
    '--out',
    out,
    ...more,
  ]);
  return { out, stdout };
}

/** What only the administrator has. */
async function complete(out: string, tenant = 'acme'): Promise<void> {
  const { certificate, key } = createCertificate('gatehouse.dmz.example.com');
  await writeFile(join(out, 'tls/gatehouse.crt'), certificate);
  await writeFile(join(out, 'tls/gatehouse.key'), key, { mode: 0o600 });
  await writeFile(join(out, `secrets/${tenant}.secret`), 'of the tenant', { mode: 0o600 });
}

test('what it writes is a sound configuration once the files that it names are there', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
  const { out, stdout } = await init(directory.path, exported({ AUTH_USER: 'T000042' }));
  await complete(out);
  await run(process.execPath, [main, 'check', '--config', join(out, 'gatehouse.yaml')]);
  const config = loadConfig(join(out, 'gatehouse.yaml'));
  const { acme } = config.tenants;
  assert.equal(acme?.url, 'https://acme.accounts.ondemand.com');
  assert.ok(acme?.credential.type === 'basic' && acme.credential.user === 'T000042');
  assert.equal(config.systems[systemId]?.tenant, 'acme');
  assert.equal(config.systems[systemId]?.name, 'SAC PROXY');
  assert.match(stdout, /keytool -importcert/);
  assert.match(stdout, /The way back/);
});

test('the repositories of SAP Identity Management bring its profile, and another one can be named', async () => {
  for (const [named, profile] of [
    [[], 'sap-idm'],
    [['--profile', 'omada'], 'omada'],
  ] as const) {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
    const { out } = await init(directory.path, exported({ AUTH_USER: 'T000042' }), ...named);
    await complete(out);
    const config = loadConfig(join(out, 'gatehouse.yaml'));
    assert.equal(config.callers[profile]?.profile.name, profile);
    const text = await readFile(join(out, 'gatehouse.yaml'), 'utf8');
    assert.match(text, new RegExp(`profile: ${profile} # what it writes otherwise .* docs/profiles\\.md\n`));
  }
});

test('a profile that there is not is refused with those that there are', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
  await assert.rejects(
    init(directory.path, exported(), '--profile', 'sap'),
    ({ code, stderr }: { code: number; stderr: string }) => {
      assert.match(stderr, /--profile is one of: generic, midpoint, omada, /);
      return code === 4;
    },
  );
  assert.deepEqual(await readdir(directory.path), ['sac.csv']);
});

test('the address that another identity manager calls is enough, and is taken at its word unless a profile is named', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
  const out = join(directory.path, 'gatehouse');
  const address = `https://T000042@acme.accounts.ondemand.com/ipsproxy/service/api/v1/scim/${systemId}/`;
  const asked = ['--from-url', address, '--host', 'gatehouse.dmz.example.com', '--out', out];
  const { stdout } = await run(process.execPath, [main, 'init', ...asked]);
  assert.match(stdout, /In the address that it calls put gatehouse\.dmz\.example\.com in the place/);
  assert.deepEqual(await readdir(join(out, 'repositories')), []);
  await complete(out);
  await run(process.execPath, [main, 'check', '--config', join(out, 'gatehouse.yaml')]);
  const { callers, systems, tenants } = loadConfig(join(out, 'gatehouse.yaml'));
  assert.equal(callers['identity-manager']?.profile.name, 'generic');
  assert.deepEqual(Object.keys(systems), [systemId]);
  assert.equal(tenants['acme']?.url, 'https://acme.accounts.ondemand.com');
  const elsewhere = ['--from-url', 'https://user:word@acme.example/scim', '--host', 'g', '--out', out];
  await assert.rejects(run(process.execPath, [main, 'init', ...elsewhere]), {
    code: 1,
    stderr: 'gatehouse: https://acme.example/scim: it does not lead to a proxy system\n',
  });
});

test('a tenant of this machine is called by HTTP, as in a rehearsal, whether by its address or its repository', async () => {
  const address = `http://T000042@127.0.0.1:8081/ipsproxy/service/api/v1/scim/${systemId}`;
  const repository = exported({
    AUTH_USER: 'T000042',
    SCIM_PROTOCOL: 'http',
    SCIM_HOST: '127.0.0.1',
    SCIM_PORT: '8081',
  });
  for (const way of ['--from-url', '--from-csv'] as const) {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
    const out = join(directory.path, 'gatehouse');
    const file = join(directory.path, 'here.csv');
    await writeFile(file, repository);
    const given = way === '--from-url' ? address : file;
    const asked = [way, given, '--host', 'gatehouse.dmz.example.com', '--out', out];
    const { stdout } = await run(process.execPath, [main, 'init', ...asked]);
    assert.doesNotMatch(stdout, /HTTPS/);
    await complete(out, 'rehearsal');
    await run(process.execPath, [main, 'check', '--config', join(out, 'gatehouse.yaml')]);
    const { tenants } = loadConfig(join(out, 'gatehouse.yaml'));
    assert.equal(tenants['rehearsal']?.url, 'http://127.0.0.1:8081');
  }
});

test('elsewhere plain HTTP is refused as an address, and becomes HTTPS out of a repository', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
  const url = `http://acme.accounts.ondemand.com/ipsproxy/service/api/v1/scim/${systemId}`;
  const asked = ['--from-url', url, '--host', 'gatehouse.dmz.example.com', '--out', '/nowhere'];
  await assert.rejects(run(process.execPath, [main, 'init', ...asked]), {
    code: 4,
    stderr: /begins with https:\/\/, or with http:\/\/ on this machine/,
  });
  const { out, stdout } = await init(directory.path, exported({ SCIM_PROTOCOL: 'http' }));
  assert.match(stdout, /calls plain HTTP; the gateway will use HTTPS/);
  assert.match(await readFile(join(out, 'gatehouse.yaml'), 'utf8'), /url: https:\/\/acme\./);
});

test('a repository without a user leaves a place that the check names', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
  const { out } = await init(directory.path, exported());
  await assert.rejects(run(process.execPath, [main, 'check', '--config', join(out, 'gatehouse.yaml')]), {
    stdout: /tenants\.acme\.credential\.user: must not be empty/,
  });
});

test('the repository to import differs in where it calls and how it logs on, and in nothing else', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
  const before = exported({ PROXY_HOST: 'proxy.example.com', PROXY_PORT: '3128', AUTH_PASSWORD: 'in clear' });
  const { out, stdout } = await init(directory.path, before);
  const [name = ''] = await readdir(join(out, 'repositories'));
  const after = await readFile(join(out, 'repositories', name), 'utf8');
  const [old, now] = [readRepository('old', before).columns, readRepository('now', after).columns];
  const changed = [...old].filter(([column, value]) => now.get(column) !== value).map(([column]) => column);
  assert.deepEqual(changed.toSorted(), [
    'AUTH_PASSWORD',
    'AUTH_USER',
    'PROXY_HOST',
    'PROXY_PORT',
    'READ_TIMEOUT',
    'SCIM_HOST',
  ]);
  assert.deepEqual([...now.keys()], [...old.keys()]);
  assert.equal(now.get('SCIM_HOST'), 'gatehouse.dmz.example.com');
  assert.match(await readFile(join(out, 'gatehouse.yaml'), 'utf8'), /url: http:\/\/proxy\.example\.com:3128/);
  assert.match(stdout, /contains a password/);
  assert.doesNotMatch(stdout + after, /in clear/);
});

test('an OAuth repository becomes an OAuth credential of the tenant, and Basic at the gateway', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
  const oauth = {
    AUTH_TYPE: 'oauth',
    AUTH_USER: 'client',
    OAUTH_URL: 'https://acme.accounts.ondemand.com/oauth2/token',
  };
  const { out } = await init(directory.path, exported(oauth), '--caller', 'idm', '--port', '8443');
  const text = await readFile(join(out, 'gatehouse.yaml'), 'utf8');
  assert.match(text, /type: oauth\n +clientId: client/);
  assert.match(text, /publicUrl: https:\/\/gatehouse\.dmz\.example\.com:8443/);
  const csv = await readFile(join(out, 'repositories', 'SAC_PROXY.csv'), 'utf8');
  const { columns } = readRepository('now', csv);
  assert.deepEqual(
    ['AUTH_TYPE', 'AUTH_USER', 'OAUTH_URL', 'SCIM_PORT'].map((column) => columns.get(column)),
    ['basic', 'idm', '', '8443'],
  );
});

const otherSystem = '5d0cbe5a-6a3f-4c55-9d0e-3c1f4b7a2e01';

for (const [what, changes, url, shares] of [
  ['port', { SCIM_PORT: '9443' }, 'https://acme.accounts.ondemand.com:9443', true],
  ['user', { AUTH_USER: 'S-user-2' }, 'https://acme.accounts.ondemand.com', true],
  ['proxy', { PROXY_HOST: 'proxy.example.com' }, 'https://acme.accounts.ondemand.com', true],
  ['host', { SCIM_HOST: 'acme.accounts.cloud.sap' }, 'https://acme.accounts.cloud.sap', false],
] as const)
  test(`repositories that differ in the ${what} have a tenant each, and that is told`, async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
    const second = join(directory.path, 's4.csv');
    const path = `/ipsproxy/service/api/v1/scim/${otherSystem}`;
    const user = { AUTH_USER: 'S-user-1' };
    await writeFile(second, exported({ ...user, Name: 'S4 PROXY', SCIM_PATH: path, ...changes }));
    const { out, stdout } = await init(directory.path, exported(user), '--from-csv', second);
    const { tenants, systems } = parse(await readFile(join(out, 'gatehouse.yaml'), 'utf8'));
    assert.deepEqual(Object.keys(tenants), ['acme', 'acme-2']);
    assert.equal(tenants.acme.credential.user, 'S-user-1');
    assert.equal(tenants['acme-2'].url, url);
    assert.equal(tenants['acme-2'].credential.secret.file, 'secrets/acme-2.secret');
    assert.equal(systems[otherSystem].tenant, 'acme-2');
    assert.match(stdout, new RegExp(`! .*s4\\.csv differs from .*sac\\.csv in ${what}, .* acme-2\\.`));
    assert.equal(/share its quota/.test(stdout), shares);
  });

test('repositories that call one place with one log-on share a tenant', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
  const second = join(directory.path, 's4.csv');
  const path = `/ipsproxy/service/api/v1/scim/${otherSystem}`;
  await writeFile(second, exported({ Name: 'S4 PROXY', SCIM_PATH: path, SCIM_PORT: '443' }));
  const { out, stdout } = await init(directory.path, exported({ SCIM_PORT: '' }), '--from-csv', second);
  const { tenants } = parse(await readFile(join(out, 'gatehouse.yaml'), 'utf8'));
  assert.deepEqual(Object.keys(tenants), ['acme']);
  assert.doesNotMatch(stdout, /differs/);
});

test('two repositories of one name would be one file, so they are refused', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
  const second = join(directory.path, 's4.csv');
  await writeFile(second, exported({ SCIM_PATH: `/ipsproxy/service/api/v1/scim/${otherSystem}` }));
  await assert.rejects(init(directory.path, exported(), '--from-csv', second), /SAC_PROXY is in two/);
});

test('what is no repository, or leads elsewhere, is told and nothing is written', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
  for (const [csv, says] of [
    ['a,b,\n"1",', /names and .* values/],
    [exported({ SCIM_PATH: '/scim/v2' }), /does not lead to a proxy system/],
    [exported({ SCIM_HOST: '' }), /SCIM_HOST is missing/],
  ] as const)
    await assert.rejects(init(directory.path, csv), ({ code, stderr }: { code: number; stderr: string }) => {
      assert.match(stderr, says);
      return code === 1;
    });
  assert.deepEqual(await readdir(directory.path), ['sac.csv']);
});

for (const [what, args, says] of [
  ['a port that there is not', ['--port', '99999'], /--port is a number from 1 to 65535/],
  [
    'a technical user that check refuses',
    ['--caller', 'böse user'],
    /--caller is no name of a technical user/,
  ],
  ['a file that is not there', ['--from-csv', 'nofile.csv'], /nofile\.csv cannot be read \(ENOENT\)/],
  ['a host that is none', ['--host', 'a b'], /--host is a host name/],
] as const)
  test(`${what} is wrong usage, and nothing is written`, async () => {
    await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
    await assert.rejects(init(directory.path, exported(), ...args), { code: 4, stderr: says });
    assert.deepEqual(await readdir(directory.path), ['sac.csv']);
  });

test('what --host is for is told where it is missing', async () => {
  const url = `https://acme.accounts.ondemand.com/ipsproxy/service/api/v1/scim/${systemId}`;
  const asked = run(process.execPath, [main, 'init', '--from-url', url, '--out', '/nowhere']);
  await assert.rejects(asked, { code: 4, stderr: /--host is needed: the name under which/ });
});

test('with --json it tells what it wrote, and for which systems', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
  const { out, stdout } = await init(directory.path, exported(), '--json');
  const told: { readonly written: string[]; readonly systems: string[] } = JSON.parse(stdout);
  assert.ok(told.written.includes(join(out, 'gatehouse.yaml')));
  assert.deepEqual(told.systems, [systemId]);
});

test('a file that is there is not overwritten, and nothing is written beside it', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
  const { out } = await init(directory.path, exported());
  await rm(join(out, 'repositories'), { recursive: true });
  const before = await readFile(join(out, 'gatehouse.yaml'), 'utf8');
  await assert.rejects(
    init(directory.path, exported(), '--caller', 'other'),
    ({ code, stderr }: { code: number; stderr: string }) => {
      assert.match(stderr, /gatehouse\.yaml is there already/);
      return code === 1;
    },
  );
  assert.equal(await readFile(join(out, 'gatehouse.yaml'), 'utf8'), before);
  assert.ok(!(await readdir(out)).includes('repositories'));
});

test('it writes into a directory that the installer has made, and leaves data to the place that is named', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
  await mkdir(join(directory.path, 'gatehouse/secrets'), { recursive: true });
  const { out } = await init(directory.path, exported(), '--data', '/var/lib/gatehouse/');
  const text = await readFile(join(out, 'gatehouse.yaml'), 'utf8');
  const places = [...text.matchAll(/(?:directory|indexDirectory|keyFile|secretsFile): (\S+)/g)];
  assert.deepEqual(places.map(([, place = '']) => place).toSorted(), [
    '/var/lib/gatehouse/audit',
    '/var/lib/gatehouse/console',
    '/var/lib/gatehouse/console-secrets.yaml',
    '/var/lib/gatehouse/keys/audit.key',
    '/var/lib/gatehouse/secrets.yaml',
  ]);
});

test('root lets the group of the directory into all that it makes there', async (t) => {
  if (process.getuid?.() !== 0) return t.diagnostic('only root can give a directory to another group');
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-init-'));
  const out = join(directory.path, 'gatehouse');
  await mkdir(out, { mode: 0o750 });
  await chown(out, 0, 12_345);
  await init(directory.path, exported());
  for (const name of await readdir(out)) {
    const { gid, mode } = await stat(join(out, name));
    assert.deepEqual([name, gid, mode & 0o040], [name, 12_345, 0o040]);
  }
});
