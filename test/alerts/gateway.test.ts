/** Alerts of a running gateway: from what a tenant answers to who is told, and the two ways to try a channel. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, readFile, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { parse, stringify } from 'yaml';

import type { Alert } from '../../src/alerts/alert.ts';
import type { Problem } from '../../src/console/api/endpoints.ts';
import type { ActionReply, Parties } from '../../src/console/api/parties.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { startChild } from '../support/child.ts';
import { gatehouse } from '../support/command.ts';
import { startConsole } from '../support/console.ts';
import { eventually } from '../support/eventually.ts';
import { readRecords, startGateway, systemId } from '../support/gateway.ts';
import { prepareInstallation } from '../support/installation.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const patienceMs = 30_000;
const told = ({ received }: TestUpstream): Alert[] => received.map(({ body }) => JSON.parse(body) as Alert);
const channelTo = ({ url }: Pick<TestUpstream, 'url'>) =>
  ({ type: 'webhook', url, secret: new Secret('shared with the hook') }) as const;

test('a tenant that refuses the gateway is told of at once, and that it takes it again', async () => {
  await using hook = await startUpstream();
  await using upstream = await startUpstream();
  const { answer } = upstream;
  upstream.answer = (_asked, response) => void response.writeHead(403).end();
  const alerts = { channels: { hook: channelTo(hook) } };
  await using gateway = await startGateway({ upstream: upstream.url, config: { alerts } });
  for (const id of ['jane.doe', 'john.doe', 'joan.doe']) await gateway.call('GET', `/Users/${id}`);
  await eventually(async () => hook.received.length === 1, patienceMs);
  upstream.answer = answer;
  await gateway.call('GET', '/Users/jim.doe');
  await eventually(async () => hook.received.length === 2, patienceMs);
  const subject = `acme ${systemId}`;
  assert.deepEqual(
    told(hook).map((alert) => [alert.name, alert.state, alert.subject, alert.instance]),
    [
      ['tenant-refuses', 'raised', subject, 'test'],
      ['tenant-refuses', 'resolved', subject, 'test'],
    ],
  );
  assert.doesNotMatch(JSON.stringify(told(hook)), /doe/);
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  assert.match(metrics, /gatehouse_alerts_total\{name="tenant-refuses",channel="hook",result="sent"\} 2/);
});

test('a trail that cannot be written is told of while it cannot, counted, and told of when it can', async () => {
  await using hook = await startUpstream();
  await using upstream = await startUpstream();
  const alerts = { channels: { hook: channelTo(hook) } };
  await using gateway = await startGateway({ upstream: upstream.url, config: { alerts } });
  const directory = join(gateway.auditDirectory, 'test');
  await rename(directory, `${directory}-away`);
  try {
    assert.equal((await gateway.call('GET', '/Users/1')).status, 503);
    await eventually(async () => hook.received.length === 1, patienceMs);
  } finally {
    await rename(`${directory}-away`, directory);
  }
  await eventually(async () => hook.received.length === 2, patienceMs);
  assert.deepEqual(
    told(hook).map(({ name, state }) => `${name} ${state}`),
    ['audit-failing raised', 'audit-failing resolved'],
  );
  const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  assert.match(metrics, /gatehouse_records_total\{event="audit.failed"\} [1-9]/);
});

test('a channel that hangs delays no call', async () => {
  await using hook = await startUpstream({ answer: () => undefined });
  await using upstream = await startUpstream();
  const { answer } = upstream;
  upstream.answer = (_asked, response) => void response.writeHead(401).end();
  const alerts = { channels: { hook: channelTo(hook) } };
  await using gateway = await startGateway({ upstream: upstream.url, config: { alerts } });
  for (const id of ['1', '2', '3']) assert.equal((await gateway.call('GET', `/Users/${id}`)).status, 502);
  await eventually(async () => hook.received.length === 1, patienceMs);
  upstream.answer = answer;
  assert.equal((await gateway.call('GET', '/Users/4')).status, 200);
});

test('an operator tries a channel from the console, and learns why one does not take it', async () => {
  await using hook = await startUpstream();
  const away = channelTo({ url: 'http://127.0.0.1:1' });
  await using place = await startConsole({}, {}, { alerts: { channels: { hook: channelTo(hook), away } } });
  const operator = await place.logOn('operator');
  const reason = 'a new mailbox';
  const reply = await operator.ask('POST', '/alerts/hook/test', { reason });
  assert.deepEqual(((await reply.json()) as ActionReply).done, 'hook took it.');
  const refused = await operator.ask('POST', '/alerts/away/test', { reason });
  assert.equal(refused.status, 503);
  assert.equal(((await refused.json()) as Problem).detail, 'away did not take it: ECONNREFUSED.');
  assert.equal((await operator.ask('POST', '/alerts/none/test', { reason })).status, 404);
  assert.deepEqual(
    told(hook).map(({ name, state }) => [name, state]),
    [['test', 'test']],
  );
  await place.untilTold('console.acted', { user: 'operator', action: 'test-alert', channel: 'hook', reason });
  const { channels } = await operator.get<Parties>('/parties');
  assert.deepEqual(
    channels.map(({ name, type, waiting }) => [name, type, waiting]),
    [
      ['hook', 'webhook', 0],
      ['away', 'webhook', 0],
    ],
  );
});

test('the command line tries the channels of a running gateway, those too that a reload brought', async () => {
  await using hook = await startUpstream();
  await using upstream = await startUpstream();
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-alerts-'));
  const { path } = directory;
  const { file } = await prepareInstallation(path, upstream.url);
  const child = await startChild(file);
  await using ending = new AsyncDisposableStack();
  ending.defer(async () => void (await child.end('SIGTERM')));
  const config = ['--config', file];
  const none = await gatehouse('alert', 'test', ...config);
  assert.deepEqual([none.code, none.stderr], [1, 'gatehouse: No channel is configured.\n']);
  await writeFile(join(path, 'hook'), 'shared with the hook', { mode: 0o600 });
  const document = parse(await readFile(file, 'utf8')) as object;
  const secret = { file: 'hook' };
  const channels = {
    hook: { type: 'webhook', url: hook.url, secret },
    away: { type: 'webhook', url: 'http://127.0.0.1:1', secret },
  };
  await writeFile(file, stringify({ ...document, alerts: { channels } }));
  await eventually(
    async () => (await gatehouse('alert', 'test', '--channel', 'hook', ...config)).code === 0,
    patienceMs,
  );
  assert.deepEqual(told(hook).at(-1)?.name, 'test');
  const both = await gatehouse('alert', 'test', ...config, '--json');
  assert.equal(both.code, 1);
  const says = 'hook took it.\naway did not take it: ECONNREFUSED.';
  assert.deepEqual(JSON.parse(both.stdout), { done: false, says });
  assert.equal((await gatehouse('alert', 'test', '--channel', 'none', ...config)).code, 1);
  assert.equal((await gatehouse('alert', ...config)).code, 4);
  const acts = (await readRecords(join(path, 'audit'))).filter(({ event }) => event === 'operator.acted');
  assert.partialDeepStrictEqual(acts.at(-1)?.facts, { action: 'test-alert', channel: 'none' });
});
