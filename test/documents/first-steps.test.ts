/** The first steps of the README and of docs/start-*.md, run as they stand there: only paths, ports and secrets are others. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { parse, stringify } from 'yaml';

import { startEmbedded } from '../../src/cli/embedded.ts';
import { loadConfig } from '../../src/gateway/config.ts';
import { createGateway } from '../../src/gateway/gateway.ts';
import { idmCsv } from '../../src/ips/idm-csv.ts';
import { createCertificate } from '../support/certificate.ts';
import { argumentsIn } from './command-line.ts';
import { read, shellLinesOf, spansOf } from './pages.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');

async function gatehouse(words: readonly string[], config?: string) {
  const env = { ...process.env, ...(config !== undefined && { GATEHOUSE_CONFIG: config }) };
  return promisify(execFile)(process.execPath, [main, ...words], { env });
}

/** The lines of a page that begin with these words, each as the page has it. */
function linesOf(file: string, ...begin: string[]): string[][] {
  const page = { file, text: read(file) };
  const lines = [...shellLinesOf(page), ...spansOf(page)].flatMap(({ text }) => {
    const given = argumentsIn(text);
    return given && begin.every((word, at) => given[at] === word) ? [given] : [];
  });
  assert.ok(lines.length > 0, `${file}: gatehouse ${begin.join(' ')}`);
  return lines;
}

test('the steps for SAP Identity Management lead from its repositories to a configuration that is sound', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-steps-'));
  const file = 'docs/start-sap-idm.md';
  const etc = join(directory.path, 'etc');
  const moved: Readonly<Record<string, string>> = {
    '/etc/gatehouse': etc,
    '/var/lib/gatehouse': join(directory.path, 'lib'),
    'sac.csv': join(directory.path, 'sac.csv'),
    's4.csv': join(directory.path, 's4.csv'),
  };
  for (const [name, systemId] of [
    ['sac', '0b7c1c52-1f5e-4b4e-9f57-6a2f0d3c9a11'],
    ['s4', '0b7c1c52-1f5e-4b4e-9f57-6a2f0d3c9a12'],
  ] as const) {
    const address = new URL('https://acme.accounts.ondemand.com');
    await writeFile(moved[`${name}.csv`] ?? '', idmCsv({ name, systemId, address, assignment: 'PATCH' }));
  }
  const config = join(etc, 'gatehouse.yaml');
  const [init = []] = linesOf(file, 'init');
  await gatehouse(init.map((word) => moved[word] ?? word));

  const { certificate, key } = createCertificate('gatehouse.dmz.example.com');
  await writeFile(join(etc, 'tls/gatehouse.crt'), certificate);
  await writeFile(join(etc, 'tls/gatehouse.key'), key, { mode: 0o400 });
  await writeFile(join(etc, 'secrets/acme.secret'), 'what the tenant knows', { mode: 0o400 });
  const document = parse(await readFile(config, 'utf8'));
  assert.equal(document.tenants.acme.credential.user, '');
  document.tenants.acme.credential.user = 'T000042';
  await writeFile(config, stringify(document));

  for (const step of linesOf(file, 'check')) assert.match((await gatehouse(step, config)).stdout, /is sound/);
  for (const step of linesOf(file, 'secret', 'new'))
    assert.match((await gatehouse(step, config)).stdout, /^gh_/, step.join(' '));
  assert.match((await gatehouse(['caller', 'list'], config)).stdout, /^sap-idm\n {2}log-on {2}secret/m);
});

test('the way of the README leads from the first start to calls that are seen, explained and verified', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-steps-'));
  const document = parse(read('config/gatehouse.yaml'));
  document.listen.port = document.admin.port = document.tenants.acme.embedded.port = 0;
  document.tenants.acme.embedded.users = 20;
  delete document.firstStart;
  const file = join(directory.path, 'config/gatehouse.yaml');
  await mkdir(dirname(file));
  await writeFile(file, stringify(document));
  const secret = (await gatehouse(['secret', 'new', 'identity-manager'], file)).stdout.trim();
  await gatehouse(['secret', 'new', 'admin', '--console'], file);

  const config = loadConfig(file);
  const id = await (async () => {
    await using embedded = await startEmbedded(config);
    const { upstreamsOf } = embedded;
    await using gateway = await createGateway(config, { version: '0.0.0', upstreamsOf });
    const [, path = ''] = /'http:\/\/127\.0\.0\.1:8080(\/\S+)'/.exec(read('README.md')) ?? [];
    const authorization = `Basic ${Buffer.from(`identity-manager:${secret}`).toString('base64')}`;
    const ask = () => fetch(new URL(path, gateway.url), { headers: { authorization } });
    const first = await ask();
    assert.equal(first.status, 200);
    const second = await ask();
    assert.match(second.headers.get('cache-status') ?? '', /^Gatehouse; hit/);
    assert.ok(second.headers.has('age'));
    return first.headers.get('x-request-id') ?? '';
  })();

  const trail = join(directory.path, 'var/audit');
  assert.match((await gatehouse(['explain', id], file)).stdout, /tenant +answered 200/);
  for (const step of linesOf('README.md', 'audit', 'verify'))
    assert.match(
      (await gatehouse(step.map((word) => (word === 'var/audit' ? trail : word)))).stdout,
      /Verdict: ok/,
    );
});
