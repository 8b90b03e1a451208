/** Alerts on their way: to whom, how many wait, and what a channel that is away does not do. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';

import type { Alert, Channel } from '../../src/alerts/alert.ts';
import { Alerts, type ConfiguredChannel } from '../../src/alerts/alerts.ts';
import { Courier, type Result } from '../../src/alerts/courier.ts';
import { NotTaken, Refused } from '../../src/delivery/destination.ts';
import { eventually } from '../support/eventually.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';
import { anAlert } from './an-alert.ts';

const hour = 3_600_000;

function toHook(
  { url }: Pick<TestUpstream, 'url'>,
  changes: Partial<ConfiguredChannel> = {},
): ConfiguredChannel {
  const settings = { type: 'webhook', url, tls: {}, secret: () => 'shared' } as const;
  return { settings, timeoutMs: 5000, least: 'warning', only: undefined, ...changes };
}

function begin(channels: Readonly<Record<string, ConfiguredChannel>>) {
  const results: string[] = [];
  const alerts = new Alerts(
    {
      instance: 'gw-1',
      onResult: ({ name }, channel, result) => results.push(`${name} ${channel} ${result}`),
    },
    { betweenMs: hour, channels: new Map(Object.entries(channels)) },
  );
  return { alerts, results, [Symbol.asyncDispose]: () => alerts[Symbol.asyncDispose]() };
}

const told = ({ received }: TestUpstream): Alert[] => received.map(({ body }) => JSON.parse(body) as Alert);
const names = (hook: TestUpstream): string[] => told(hook).map(({ name, state }) => `${name} ${state}`);
const delivery = { facts: { destination: 'siem', reason: 'ECONNREFUSED' } };

test('an alert goes to every channel that wants its severity and its name', async () => {
  await using all = await startUpstream();
  await using critical = await startUpstream();
  await using some = await startUpstream();
  await using place = begin({
    all: toHook(all),
    critical: toHook(critical, { least: 'critical' }),
    some: toHook(some, { only: ['audit-slow'] }),
  });
  place.alerts.observe('audit.delivery_failing', delivery);
  place.alerts.observe('audit.failed', { facts: { code: 'ENOSPC' } });
  place.alerts.observe('audit.failed', { facts: { code: 'SLOW' } });
  await eventually(
    async () => all.received.length === 3 && critical.received.length > 0 && some.received.length > 0,
  );
  assert.deepEqual(names(all), ['delivery-failing raised', 'audit-failing raised', 'audit-slow raised']);
  assert.deepEqual(names(critical), ['audit-failing raised']);
  assert.deepEqual(names(some), ['audit-slow raised']);
});

test('the same is told once, and its end', async () => {
  await using hook = await startUpstream();
  await using place = begin({ hook: toHook(hook) });
  for (let at = 0; at < 1000; at += 1) place.alerts.observe('audit.delivery_failing', delivery);
  place.alerts.observe('audit.delivery_recovered', { facts: { destination: 'siem', ms: 9 } });
  await eventually(async () => hook.received.length === 2);
  assert.deepEqual(names(hook), ['delivery-failing raised', 'delivery-failing resolved']);
  const [first = assert.fail('nothing came')] = told(hook);
  assert.equal(first.summary, 'A destination does not take the audit trail (siem)');
  assert.deepEqual([first.instance, first.facts, first.times], ['gw-1', delivery.facts, 1]);
});

test('a channel that hangs keeps nobody waiting, neither who records nor another channel nor the end', async () => {
  await using hanging = await startUpstream({ answer: () => undefined });
  await using hook = await startUpstream();
  const place = begin({ hanging: toHook(hanging), hook: toHook(hook) });
  const began = performance.now();
  for (let at = 0; at < 200; at += 1)
    place.alerts.observe('audit.delivery_failed', { facts: { destination: `d${at}` } });
  assert.ok(performance.now() - began < 1000);
  await eventually(async () => hook.received.length === 21);
  await place[Symbol.asyncDispose]();
  assert.ok(performance.now() - began < 15_000);
  assert.ok(place.results.filter((each) => each === 'delivery-lost hanging dropped').length >= 20);
});

test('whether a channel works is not known before something was sent to it', async () => {
  await using hook = await startUpstream();
  await using place = begin({ hook: toHook(hook), away: toHook({ url: 'http://127.0.0.1:1' }) });
  const working = (): readonly (boolean | undefined)[] => place.alerts.states.map((state) => state.working);
  assert.deepEqual(working(), [undefined, undefined]);
  await place.alerts.try();
  assert.deepEqual(working(), [true, false]);
});

test('a channel that was away gets what waited, in order', async () => {
  const spare = createServer();
  await once(spare.listen(0, '127.0.0.1'), 'listening');
  const { port } = spare.address() as AddressInfo;
  spare.close();
  await once(spare, 'close');
  await using place = begin({ hook: toHook({ url: `http://127.0.0.1:${port}` }) });
  place.alerts.observe('audit.delivery_failing', delivery);
  place.alerts.observe('audit.failed', { facts: { code: 'ENOSPC' } });
  await eventually(async () => place.results.includes('delivery-failing hook failed'));
  assert.deepEqual(
    place.alerts.states.map(({ working, waiting }) => [working, waiting]),
    [[false, 2]],
  );
  const bodies: string[] = [];
  const back = createServer((socket) => {
    socket.on('data', (bytes) => {
      bodies.push(...(/"name":"[a-z-]+"/.exec(String(bytes)) ?? []));
      socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    });
  });
  await once(back.listen(port, '127.0.0.1'), 'listening');
  await eventually(async () => place.results.includes('audit-failing hook sent'), 30_000);
  assert.deepEqual(bodies, ['"name":"delivery-failing"', '"name":"audit-failing"']);
  await place[Symbol.asyncDispose]();
  back.close();
});

test('other channels are those from now on, and who was told of something still hears what was on its way', async () => {
  await using before = await startUpstream();
  await using after = await startUpstream();
  await using place = begin({ hook: toHook(before) });
  place.alerts.observe('audit.delivery_failing', delivery);
  place.alerts.replace({ betweenMs: hour, channels: new Map([['hook', toHook(after)]]) });
  place.alerts.observe('audit.delivery_recovered', delivery);
  await eventually(async () => before.received.length === 1 && after.received.length === 1);
  assert.deepEqual(
    [...names(before), ...names(after)],
    ['delivery-failing raised', 'delivery-failing resolved'],
  );
});

test('what a record tells that nobody understands raises nothing and throws nothing', async () => {
  await using place = begin({});
  for (const event of [
    'guard.exceeded',
    'upstream.outcome',
    'process.fault',
    'audit.space_low',
    'load.completed',
  ])
    place.alerts.observe(event, { facts: { causes: [], hold: 7, verdict: null } });
  assert.deepEqual(place.results, []);
});

function courierTo(send: Channel['send']) {
  const results: string[] = [];
  const courier = new Courier({
    name: 'hook',
    channel: { send, close: () => {} },
    timeoutMs: 60_000,
    onResult: ({ subject }: Alert, _channel: string, result: Result) => results.push(`${subject} ${result}`),
  });
  return { courier, results };
}

test('a hundred alerts wait at most, and the oldest give way', async () => {
  const { courier, results } = courierTo((_alert, signal) => {
    const { promise, reject } = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => reject(new NotTaken('deadline')));
    return promise;
  });
  for (let at = 0; at < 105; at += 1) courier.push(anAlert({ subject: `${at}` }));
  assert.equal(courier.waiting, 100);
  assert.deepEqual(
    results,
    [1, 2, 3, 4, 5].map((at) => `${at} dropped`),
  );
  await courier.finish(10);
  assert.equal(courier.waiting, 0);
});

test('what a channel refuses is not sent again, and what comes behind it is', async () => {
  const { courier, results } = courierTo(async ({ subject }) => {
    await Promise.resolve();
    if (subject === 'bad') throw new Refused('smtp 550');
  });
  for (const subject of ['bad', 'good']) courier.push(anAlert({ subject }));
  await eventually(async () => results.length === 3);
  assert.deepEqual(results, ['bad failed', 'bad dropped', 'good sent']);
  await courier.finish(10);
});

test('an alert of more than an hour ago is given up', async () => {
  const { courier, results } = courierTo(() => Promise.reject(new NotTaken('ECONNREFUSED')));
  courier.push(anAlert({ subject: 'old', at: new Date(Date.now() - hour - 1000).toISOString() }));
  await eventually(async () => results.length === 2);
  assert.deepEqual(results, ['old failed', 'old dropped']);
  await courier.finish(10);
});
