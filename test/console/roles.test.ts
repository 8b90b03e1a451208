/** Who may ask what: each endpoint with each role and with nobody, on a running gateway. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { endpoints, type Role } from '../../src/console/api/endpoints.ts';
import { roles, startConsole, type Person, type TestConsole } from '../support/console.ts';

/** Written by hand a second time, so that a role that is added to the table by mistake is noticed. */
const expected: Readonly<Record<keyof typeof endpoints, readonly Role[] | '*'>> = {
  session: '*',
  logOn: '*',
  logOff: '*',
  overview: ['operator', 'administrator'],
  live: ['operator', 'administrator'],
  trails: ['auditor', 'administrator'],
  pseudonyms: ['auditor', 'administrator'],
  histogram: ['auditor', 'administrator'],
  records: ['auditor', 'administrator'],
  record: ['auditor', 'administrator'],
  proof: ['auditor', 'administrator'],
  export: ['auditor', 'administrator'],
  verify: ['auditor', 'administrator'],
  verification: ['auditor', 'administrator'],
  cancelVerification: ['auditor', 'administrator'],
  parties: ['operator', 'administrator'],
  forget: ['operator', 'administrator'],
  pause: ['operator', 'administrator'],
  resume: ['operator', 'administrator'],
  release: ['operator', 'administrator'],
  testAlert: ['operator', 'administrator'],
  security: ['administrator'],
};

let started: TestConsole;
const people = new Map<Role, Person>();

before(async () => {
  started = await startConsole();
  for (const role of roles) people.set(role, await started.logOn(role));
});
after(() => started[Symbol.asyncDispose]());

const names = Object.keys(endpoints) as (keyof typeof endpoints)[];

for (const name of names) {
  const { method, path } = endpoints[name];
  const place = path.replaceAll(/:\w+/g, 'nothing-of-that-name');
  const isForAll = expected[name] === '*';
  if (isForAll) continue;

  test(`${name} is refused to whoever is not logged on`, async () => {
    const response = await fetch(`${started.url}/console/api${place}`, { method });
    assert.equal(response.status, 401);
    assert.partialDeepStrictEqual(await response.json(), { error: 'not-logged-on' });
  });

  for (const role of roles) {
    const isAllowed = expected[name].includes(role);
    test(`${name} is ${isAllowed ? 'answered to' : 'refused to'} the ${role}`, async () => {
      const response = await people.get(role)?.ask(method, place, method === 'POST' ? {} : undefined);
      await response?.body?.cancel();
      assert.equal(response?.status === 403, !isAllowed, `status ${response?.status}`);
    });
  }
}

test('a refusal for want of the role is in the trail with who and what', async () => {
  await people.get('operator')?.ask('GET', '/audit/records');
  await started.untilTold('console.denied', { user: 'operator', endpoint: 'records' });
});

test('a path that is not in the table does not exist, whoever asks', async () => {
  const person = people.get('administrator');
  for (const path of ['/', '/audit', '/audit/records/', '/overview/', '/OVERVIEW', '/users'])
    assert.equal((await person?.ask('GET', path))?.status, 404, path);
});

test('a method that is not in the table is refused', async () => {
  assert.equal((await people.get('administrator')?.ask('DELETE', '/overview'))?.status, 405);
});

test('the session tells its own person, role and token', async () => {
  const session = await people.get('auditor')?.get('/session');
  assert.partialDeepStrictEqual(session, { user: { name: 'auditor', role: 'auditor', by: 'local' } });
});

test('whoever is not logged on learns how to log on, and nothing else', async () => {
  const response = await fetch(`${started.url}/console/api/session`);
  assert.deepEqual(await response.json(), { csrf: '', logOn: { local: true } });
  const { gateway } = people.get('operator')?.session ?? {};
  assert.equal(gateway?.instance, 'test');
});

test('health and figures are told without a log-on, as without a console', async () => {
  for (const path of ['/health/live', '/health/ready', '/metrics'])
    assert.equal((await fetch(`${started.url}${path}`)).status, 200, path);
});
