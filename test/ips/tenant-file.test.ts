/** A tenant's description: the file that we ship, secrets from elsewhere, systems as SAP exports them. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { parse } from 'yaml';

import { documentedDefaults } from '../../src/ips/assumptions.ts';
import { idmCsv } from '../../src/ips/idm-csv.ts';
import { exportSystem, importSystem } from '../../src/ips/system-json.ts';
import { loadTenantFile } from '../../src/ips/tenant-file.ts';
import { startTenant } from '../../src/ips/tenant.ts';
import { clientId, proxyId } from './started-tenant.ts';

const shipped = new URL('../../config/tenant.yaml', import.meta.url);

test('the shipped description starts a tenant with a secret that is generated', async () => {
  const { options, generated } = await loadTenantFile(shipped.pathname);
  await using tenant = await startTenant({ ...options, port: 0 });
  const [first] = generated;
  assert.ok(first);
  const authorization = `Basic ${btoa(`${first.clientId}:${first.secret}`)}`;
  for (const { id } of options.systems.filter(({ role }) => role === undefined))
    for (const type of ['Users', 'Groups']) {
      const url = new URL(`/ipsproxy/service/api/v1/scim/${id}/${type}`, tenant.url);
      const list = await (await fetch(url, { headers: { authorization } })).json();
      const [one] = Object(list).Resources;
      assert.equal(one.meta.location, `${url.href}/${one.id}`);
      assert.equal((await fetch(one.meta.location, { headers: { authorization } })).status, 200);
    }
});

test('the shipped description names every assumption with its default', async () => {
  const { assumptions } = parse(await readFile(shipped, 'utf8'));
  assert.deepEqual(assumptions, documentedDefaults);
});

async function withFolder(
  files: Record<string, string>,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tenant-'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  await use(join(folder, 'tenant.yaml'));
  await rm(folder, { recursive: true });
}

test('secrets and credentials come from the environment or a file', async () => {
  const yaml = `
listen: { port: 0 }
technicalUsers: [{ clientId: ${clientId}, secrets: [{ env: SECRET, expiresAt: '2030-01-01T00:00:00Z' }, { file: secret }] }]
systems: { ${proxyId}: { credentials: { Password: { env: PASSWORD } } } }`;
  await withFolder({ 'tenant.yaml': yaml, secret: 'from file\n' }, async (path) => {
    const { options } = await loadTenantFile(path, { SECRET: 'from environment', PASSWORD: 'p' });
    assert.deepEqual(options.technicalUsers[0]?.secrets, [
      { value: 'from environment', expiresAt: Date.UTC(2030, 0, 1) },
      { value: 'from file' },
    ]);
    assert.deepEqual(options.systems[0]?.credentials, { Password: 'p' });
    await assert.rejects(loadTenantFile(path, {}), /no SECRET/);
  });
});

test('a misspelt key is a fault with its place', async () => {
  await withFolder({ 'tenant.yaml': 'listen: { prot: 1 }' }, async (path) => {
    await assert.rejects(loadTenantFile(path), /listen/);
  });
});

const exported = {
  id: '9f1c',
  connectorTypeString: 'SAP_COMMERCE_CLOUD',
  accessMode: 'PROXY',
  name: 'Shop',
  tenantId: 't',
  state: 'ENABLED',
  properties: { Type: 'HTTP', URL: 'https://shop.example.com/scim' },
  encryptedProperties: { Password: null },
  readTransformation: { user: { scimEntityEndpoint: 'Users', mappings: [] } },
  writeTransformation: { user: { scimEntityEndpoint: 'Users', mappings: [] } },
};

test('an imported system has a new id, and its credentials are missing', () => {
  const { system, missingCredentials } = importSystem(JSON.stringify(exported));
  assert.notEqual(system.id, exported.id);
  assert.deepEqual([system.name, system.role, system.enabled], ['Shop', 'proxy', true]);
  assert.deepEqual(missingCredentials, ['Password']);
});

test('an import is refused under a name that is taken and in another role', () => {
  const text = JSON.stringify(exported);
  assert.throws(() => importSystem(text, { takenNames: ['Shop'] }), /choose another name/);
  assert.equal(importSystem(text, { takenNames: ['Shop'], name: 'Shop 2' }).system.name, 'Shop 2');
  assert.throws(() => importSystem(text, { role: 'source' }), /cannot be imported as a source/);
});

test('an export names credentials without telling them and imports again', () => {
  const text = exportSystem({ id: proxyId, name: 'Shop', credentials: { Password: 'hidden' } }, 'acme');
  assert.ok(!text.includes('hidden'));
  assert.deepEqual(importSystem(text).missingCredentials, ['Password']);
});

test('an exported system can be a system of the description', async () => {
  const yaml = `
listen: { port: 0 }
technicalUsers: [{ clientId: ${clientId}, secrets: [generate] }]
systems: { ${proxyId}: { import: shop.json, name: My shop } }`;
  await withFolder({ 'tenant.yaml': yaml, 'shop.json': JSON.stringify(exported) }, async (path) => {
    const { options } = await loadTenantFile(path);
    const [system] = options.systems;
    assert.deepEqual([system?.id, system?.name], [proxyId, 'My shop']);
    assert.deepEqual(system?.readTransformation, exported.readTransformation);
  });
});

test('the CSV for SAP Identity Management has 25 columns and the given address', () => {
  const csv = idmCsv({
    name: 'SAC_PROXY',
    description: 'Analytics via gateway',
    systemId: proxyId,
    address: new URL('https://gateway.dmz.example.com'),
    assignment: 'PUT',
  });
  const [names, values, ...more] = csv.split('\n');
  assert.deepEqual(more, []);
  assert.equal(names?.split(',').length, 26, 'each of 25 names is followed by a comma');
  assert.equal(
    values,
    '"SAC_PROXY","Analytics via gateway",,"0","com.sap.idm.connector.scim:reptype.SCIM",,"basic",,' +
      '"60000","60000",,,,,,,"60000","PUT","gateway.dmz.example.com",' +
      `"/ipsproxy/service/api/v1/scim/${proxyId}","443","https","PRIV:SYSTEM:SAC_PROXY",,,`,
  );
});

test('a value that the CSV cannot hold is refused', () => {
  const address = new URL('https://gateway.example.com');
  assert.throws(() => idmCsv({ name: 'a"b', systemId: 'x', address, assignment: 'PUT' }), /Name/);
});
