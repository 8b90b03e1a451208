/** `gatehouse explain` over the trail of a gateway: cause and time of each step, for each way that a call can go. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { askDesk } from '../../src/file-desk.ts';
import { startGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { startUpstream } from '../support/upstream.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');
const run = promisify(execFile);

interface Step {
  readonly atMs?: number;
  readonly ms?: number;
  readonly step: string;
  readonly found: string;
}

async function explained(gateway: TestGateway, answer: Response): Promise<Step[]> {
  const id = answer.headers.get('x-request-id') ?? '';
  const { stdout } = await run(process.execPath, [
    main,
    'explain',
    id,
    '--audit',
    gateway.auditDirectory,
    '--json',
  ]);
  const [line = ''] = stdout.split('\n');
  const told: { readonly request: string; readonly steps: Step[] } = JSON.parse(line);
  assert.equal(told.request, id);
  return told.steps;
}

function found(steps: readonly Step[], name: string): Step {
  const step = steps.find((each) => each.step === name);
  assert.ok(step, `${name} is not among ${JSON.stringify(steps)}`);
  return step;
}

async function started(options: TestGatewayOptions = {}) {
  const stack = new AsyncDisposableStack();
  const upstream = stack.use(await startUpstream());
  const gateway = stack.use(await startGateway({ upstream: upstream.url, ...options }));
  return { upstream, gateway, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

test('a miss and then a hit are told with what the tenant took and how old the answer is', async () => {
  await using stage = await started();
  const { gateway } = stage;
  const miss = await explained(gateway, await gateway.call('GET', '/Users/4711'));
  assert.deepEqual(
    miss.map(({ step }) => step),
    ['received', 'log-on', 'asks', 'permission', 'cache', 'turn', 'up', 'tenant', 'answered'],
  );
  assert.match(found(miss, 'cache').found, /^miss: /);
  assert.match(found(miss, 'tenant').found, /^answered 200/);
  const order = miss.map(({ atMs }) => atMs).filter((at) => at !== undefined);
  assert.deepEqual(
    order,
    order.toSorted((some, other) => some - other),
  );
  const hit = await explained(gateway, await gateway.call('GET', '/Users/4711'));
  assert.match(found(hit, 'cache').found, /^hit, \d+\.\d s old/);
  assert.ok(!hit.some(({ step }) => step === 'tenant'));
});

test('a refusal is told with its reason', async () => {
  await using stage = await started();
  const { gateway } = stage;
  const headers = { authorization: gateway.logOn('auditor') };
  const refused = await explained(
    gateway,
    await gateway.call('PUT', '/Users/4711', { userName: 'somebody' }, headers),
  );
  assert.equal(found(refused, 'permission').found, 'none allows it');
  assert.match(found(refused, 'answered').found, /^403, forbidden: no permission .* covers it/);
});

/** As the gateway's operators ask it. */
async function pause({ auditDirectory }: TestGateway, minutes: number): Promise<void> {
  const place = join(auditDirectory, 'test', 'operator');
  const asked = { action: 'pause', tenant: 'acme', minutes, reason: 'maintenance', by: 'operator' };
  const said = await askDesk(place, asked, 10_000);
  assert.match(said ?? '', /"done":true/);
}

test('who waited for the quota in vain is told apart from who came to a paused tenant', async () => {
  const pace = { perMinute: 1, burst: 1, tenantLimit: 200 };
  await using stage = await started({ tenant: { pace }, config: { patience: '2s' } });
  const { gateway } = stage;
  assert.equal((await gateway.call('GET', '/Users/1')).status, 200);
  const late = await explained(gateway, await gateway.call('GET', '/Users/2'));
  assert.match(
    found(late, 'answered').found,
    /^429, busy: the quota of the tenant gives it a turn only after/,
  );
  await pause(gateway, 5);
  const held = await explained(gateway, await gateway.call('GET', '/Users/3'));
  assert.match(found(held, 'answered').found, /^429, busy: an operator has paused the tenant/);
});

test('what the guard holds back is told with its hold', async () => {
  await using stage = await started({ config: { guard: { deletes: { most: 1 } } } });
  const { gateway } = stage;
  assert.equal((await gateway.call('DELETE', '/Users/1')).status, 204);
  const answer = await gateway.call('DELETE', '/Users/2');
  const { detail } = (await answer.clone().json()) as { readonly detail: string };
  const [, hold = ''] = /\(hold (\w+)\)/.exec(detail) ?? [];
  const step = found(await explained(gateway, answer), 'answered');
  assert.ok(step.found.includes(`it is hold ${hold} (`), step.found);
});

test('a call for a system that nobody has configured is told as that', async () => {
  await using stage = await started();
  const { gateway } = stage;
  const path = '/ipsproxy/service/api/v1/scim/no-such-system/Users';
  const authorization = gateway.logOn();
  const answer = await fetch(`${gateway.url}${path}`, { headers: { authorization } });
  assert.equal(answer.status, 404);
  assert.match(found(await explained(gateway, answer), 'answered').found, /no system of that id/);
});

test('a wait for the quota is told with its length', async () => {
  const pace = { perMinute: 60, burst: 1, tenantLimit: 200, minute: '12s', concurrency: 4 };
  await using stage = await started({ tenant: { pace } });
  const { gateway } = stage;
  const answers = await Promise.all([1, 2, 3, 4].map((n) => gateway.call('GET', `/Users/${n}`)));
  const turns = await Promise.all(
    answers.map(async (answer) => found(await explained(gateway, answer), 'turn')),
  );
  const [longest] = turns.toSorted((some, other) => (other.ms ?? 0) - (some.ms ?? 0));
  assert.ok((longest?.ms ?? 0) > 50, JSON.stringify(turns));
  assert.match(longest?.found ?? '', /waited for the quota/);
});

test('a write whose answer did not come in time is told as not known', async () => {
  await using stage = await started({ tenant: { deadlines: { read: '1s', write: '1s' } } });
  const { gateway, upstream } = stage;
  upstream.answer = () => undefined;
  const lost = await explained(gateway, await gateway.call('DELETE', '/Users/4711'));
  assert.match(found(lost, 'tenant').found, /no answer before the deadline; it may have been carried out/);
  assert.match(found(lost, 'answered').found, /^504/);
});

test('without --json it is a table, and an id that nobody had is said to be none', async () => {
  await using stage = await started();
  const { gateway } = stage;
  const answer = await gateway.call('GET', '/Users/4711', undefined, { 'x-request-id': 'the-callers-own' });
  assert.equal(answer.status, 200);
  const audit = ['--audit', gateway.auditDirectory];
  const { stdout } = await run(process.execPath, [main, 'explain', 'the-callers-own', ...audit]);
  assert.match(stdout, /since begin +took\n/);
  assert.match(stdout, /ms +tenant +answered 200/);
  await assert.rejects(run(process.execPath, [main, 'explain', 'nobodys', ...audit]), {
    code: 1,
    stdout: '',
  });
});

test('an id that nobody had is told with --json as a call without steps', async () => {
  await using stage = await started();
  const asked = [main, 'explain', 'nobodys', '--audit', stage.gateway.auditDirectory, '--json'];
  const stdout = '{"request":"nobodys","steps":[]}\n';
  await assert.rejects(run(process.execPath, asked), {
    code: 1,
    stdout,
    stderr: /no call with the id "nobodys"/,
  });
});
