/** `Idempotency-Key` as draft-ietf-httpapi-idempotency-key-header §2 has it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { eventually } from '../support/eventually.ts';
import { anna, openStage } from './stage.ts';

const key = (text: string): Record<string, string> => ({ 'idempotency-key': text });

test('a key that comes again gets the answer that was told, also when it was taken', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  const answers = [
    await gateway.call('POST', '/Users', anna, key('"8e03978e-40d5"')),
    await gateway.call('POST', '/Users', anna, key('8e03978e-40d5')),
  ];
  const [first, repeat] = await Promise.all(answers.map(async (each) => [each.status, await each.json()]));
  assert.equal(first?.[0], 201);
  assert.deepEqual(first, repeat);
  assert.equal(tenant.writes().length, 1);
  assert.equal(tenant.writes()[0]?.headers['idempotency-key'], undefined, 'the key stays here');
});

test('a refusal of the tenant is told again as well', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  tenant.put(anna, new Date(0));
  for (let turn = 0; turn < 2; turn += 1)
    assert.equal((await gateway.call('POST', '/Users', anna, key('k1'))).status, 409);
  assert.equal(tenant.writes().length, 1);
});

test('a key of another request is refused with 422', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  await gateway.call('POST', '/Users', anna, key('k1'));
  const refused = await gateway.call('POST', '/Users', { ...anna, userName: 'bert' }, key('k1'));
  assert.equal(refused.status, 422);
  const other = await gateway.call('POST', '/Users', { ...anna, userName: 'bert' }, key('k2'));
  assert.equal(other.status, 201);
  assert.equal(tenant.writes().length, 2);
});

test('a key whose request is at work is refused with 409, or 422 when it is another', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  const late = Promise.withResolvers<void>();
  tenant.fateOf = () => late.promise;
  const first = gateway.call('POST', '/Users', anna, key('k1'));
  await eventually(async () => tenant.executed.length === 1);
  const repeat = await gateway.call('POST', '/Users', anna, key('k1'));
  assert.deepEqual([repeat.status, repeat.headers.get('retry-after')], [409, '5']);
  assert.equal((await gateway.call('POST', '/Users', { title: 'x' }, key('k1'))).status, 422);
  late.resolve();
  assert.equal((await first).status, 201);
  assert.equal(tenant.writes().length, 1);
});

test('a key of another caller is another key', async () => {
  await using stage = await openStage({
    callers: {
      iag: {
        permissions: [{ permission: 'Access Proxy System API', systems: 'all', access: ['read', 'write'] }],
      },
    },
  });
  const { tenant, gateway } = stage;
  await gateway.call('POST', '/Users', anna, key('k1'));
  const as = { authorization: gateway.logOn('iag'), ...key('k1') };
  assert.equal((await gateway.call('POST', '/Users', { userName: 'bert' }, as)).status, 201);
  assert.equal(tenant.writes().length, 2);
});

test('what was never sent is not remembered: the same key tries again', async () => {
  await using stage = await openStage();
  const { tenant, gateway } = stage;
  const { answer } = tenant.upstream;
  tenant.upstream.answer = (_request, response) => void response.writeHead(401).end();
  assert.equal((await gateway.call('POST', '/Users', anna, key('k1'))).status, 502);
  tenant.upstream.answer = answer;
  assert.equal((await gateway.call('POST', '/Users', anna, key('k1'))).status, 201);
});

for (const bad of ['', '""', '"a"b', 'a b', 'x'.repeat(256), '"a", "b"', '"é"'])
  test(`the key ${JSON.stringify(bad).slice(0, 20)} is refused, and nothing is sent`, async () => {
    await using stage = await openStage();
    const { tenant, gateway } = stage;
    const latin1 = Buffer.from(bad).toString('latin1');
    assert.equal((await gateway.call('POST', '/Users', anna, key(latin1))).status, 400);
    assert.equal(tenant.writes().length, 0);
  });
