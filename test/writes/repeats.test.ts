/** A write that is repeated goes up once, at one replica. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually } from '../support/eventually.ts';
import { startGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { RawConnection } from '../support/raw.ts';
import { startRepeatingTenant, type RepeatingTenant } from './repeating-tenant.ts';

const anna = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'anna', title: 'Dr.' };
const freely = { perMinute: 90_000, burst: 10_000, tenantLimit: 100_000 };

interface Stage extends AsyncDisposable {
  readonly tenant: RepeatingTenant;
  readonly gateway: TestGateway;
}

async function open(options: Omit<TestGatewayOptions, 'upstream'> = {}): Promise<Stage> {
  await using starting = new AsyncDisposableStack();
  const tenant = starting.use(await startRepeatingTenant());
  const gateway = starting.use(
    await startGateway({
      ...options,
      upstream: tenant.url,
      tenant: { pace: freely, ...options.tenant },
      system: { repeats: { lookFor: '0ms' }, ...options.system },
    }),
  );
  const parts = starting.move();
  return { tenant, gateway, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/** Sends a call on a connection of its own, whose end its caller decides. */
async function begin(
  { gateway }: Stage,
  method: string,
  path: string,
  body: unknown,
): Promise<RawConnection> {
  const text = JSON.stringify(body);
  const connection = await RawConnection.open(gateway.authority);
  connection.send(
    [
      `${method} ${gateway.basePath}${path} HTTP/1.1`,
      `Host: ${gateway.authority}`,
      `Authorization: ${gateway.logOn()}`,
      'Content-Type: application/scim+json',
      `Content-Length: ${Buffer.byteLength(text)}`,
      '',
      text,
    ].join('\r\n'),
  );
  return connection;
}

const repeatsIn = async ({ gateway }: Stage): Promise<unknown[]> =>
  (await gateway.records()).filter(({ event }) => event === 'request.outcome').map(({ repeat }) => repeat);

test('a caller that left before the answer and repeats gets 201 with the same id, and there is one create', async () => {
  await using stage = await open();
  const { tenant, gateway } = stage;
  const late = Promise.withResolvers<void>();
  tenant.fateOf = () => late.promise;
  const first = await begin(stage, 'POST', '/Users', anna);
  await eventually(async () => tenant.executed.length === 1);
  first.reset();
  await sleep(50);
  const repeat = gateway.call('POST', '/Users', anna);
  await sleep(50);
  late.resolve();
  const answer = await repeat;
  assert.equal(answer.status, 201);
  assert.equal((await answer.json()).id, tenant.executed[0]?.id);
  assert.equal(tenant.writes().length, 1);
  await eventually(async () => (await repeatsIn(stage)).includes('joined'));
});

test('an answer that nobody took is told to the repeat', async () => {
  await using stage = await open();
  const { tenant, gateway } = stage;
  const late = Promise.withResolvers<void>();
  tenant.fateOf = () => late.promise;
  const first = await begin(stage, 'POST', '/Users', anna);
  await eventually(async () => tenant.executed.length === 1);
  first.reset();
  await sleep(50);
  late.resolve();
  await eventually(async () => (await repeatsIn(stage)).length === 1);
  const answers = [await gateway.call('POST', '/Users', anna), await gateway.call('POST', '/Users', anna)];
  assert.deepEqual(
    await Promise.all(answers.map(async (each) => [each.status, (await each.json()).id])),
    [1, 2].map(() => [201, tenant.executed[0]?.id]),
  );
  assert.equal(tenant.writes().length, 1);
  assert.deepEqual(await repeatsIn(stage), [undefined, 'replayed', 'replayed']);
});

test('a write that was answered goes up again when it is sent again', async () => {
  await using stage = await open();
  const { tenant, gateway } = stage;
  const { id } = tenant.put({ userName: 'bert' });
  const patch = { schemas: [], Operations: [{ op: 'replace', path: 'active', value: false }] };
  for (let turn = 0; turn < 2; turn += 1)
    assert.equal((await gateway.call('PATCH', `/Users/${id}`, patch)).status, 204);
  assert.equal(tenant.writes().length, 2);
});
