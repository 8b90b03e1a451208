/** A PATCH that Identity Provisioning would turn into an empty write never goes up. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { faultsIn, soundDocument } from '../support/configuration.ts';
import { startGateway } from '../support/gateway.ts';
import { startUpstream } from '../support/upstream.ts';

const members = { Operations: [{ op: 'add', path: 'members', value: [{ value: 'a' }] }] };
const removal = { Operations: [{ op: 'remove', path: 'members[value eq "a"]' }] };
const name = { Operations: [{ op: 'replace', path: 'displayName', value: 'b' }] };

interface Refusal {
  readonly detail: string;
}

async function patch(system: object, path: string, body: object) {
  await using upstream = await startUpstream();
  await using gateway = await startGateway({ upstream: upstream.url, system });
  const response = await gateway.call('PATCH', path, body);
  const { detail } = (await response.json()) as Refusal;
  return { status: response.status, detail, sent: upstream.received.length };
}

for (const [what, path, body] of [
  ['members of a group', '/Groups/1', members],
  ['the removal of a member', '/Groups/1', removal],
  ['a name', '/Groups/1', name],
  ['a user', '/Users/1', name],
] as const)
  test(`a PATCH of ${what} is refused where the type of system has no mappings for it, naming the setting`, async () => {
    const { status, detail, sent } = await patch({ connector: 'SAP Application Server ABAP' }, path, body);
    assert.equal(status, 400);
    assert.match(detail, /SCIM_ASSIGNMENT_METHOD/);
    assert.equal(sent, 0);
  });

test('where only memberships are changed by PUT, other attributes may be patched', async () => {
  const connector = 'SAP Analytics Cloud';
  assert.equal((await patch({ connector }, '/Groups/1', removal)).status, 400);
  assert.equal((await patch({ connector }, '/Groups/1', name)).status, 200);
  assert.equal((await patch({ connector }, '/Users/1', name)).status, 200);
});

for (const [what, system] of [
  ['declared mappings', { connector: 'SAP Application Server ABAP', patchEntity: true }],
  ['a type that knows PATCH', { connector: 'SAP CPQ' }],
  ['a type that is not named', {}],
] as const)
  test(`a PATCH of members goes up to a system with ${what}`, async () => {
    const { status, sent } = await patch(system, '/Groups/1', members);
    assert.deepEqual([status, sent], [200, 1]);
  });

test('a configuration that has the identity manager use PATCH where nobody understands it is refused', () => {
  const faultsOf = (system: object) =>
    faultsIn({ ...soundDocument(), systems: { people: { tenant: 'acme', ...system } } });
  const connector = 'Microsoft Entra ID';
  assert.match(faultsOf({ connector, assignment: 'PATCH' }).join(), /systems\.people\.assignment: is PATCH/);
  assert.deepEqual(faultsOf({ connector, assignment: 'PATCH', patchEntity: true }), []);
  assert.match(faultsOf({ connector, kind: 'scim' }).join(), /systems\.people\.connector/);
});
