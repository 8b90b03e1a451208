/** How jobs are started, what a simulated one foretells, and what outlives the process (facts: IPS 9). */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { logFile, statistics, type Job, type Trigger } from '../../src/ips/job.ts';
import type { SystemOptions } from '../../src/ips/system.ts';
import type { TenantOptions } from '../../src/ips/tenant.ts';
import { sourceId, startedTenant, type StartedTenant } from './started-tenant.ts';

const targetId = '77777777-44d4-4f0c-9a5e-1d2a3b4c5d6e';

interface Pair {
  readonly target?: Partial<SystemOptions>;
  readonly source?: Partial<SystemOptions>;
  readonly sourceFile?: string;
  readonly targetFile?: string;
  readonly tenant?: Partial<TenantOptions>;
}

function pair({ source, target, sourceFile, targetFile, tenant }: Pair = {}): Promise<StartedTenant> {
  const kept = (file: string | undefined) =>
    ({ kind: 'directory', users: 0, groups: 0, ...(file !== undefined && { file }) }) as const;
  return startedTenant({
    pause: async () => undefined,
    systems: [
      { id: sourceId, name: 'HR', role: 'source', backend: kept(sourceFile), ...source },
      { id: targetId, name: 'Shop', role: 'target', backend: kept(targetFile), ...target },
    ],
    ...tenant,
  });
}

const sourceOf = ({ tenant }: StartedTenant) => tenant.directory(sourceId);
const targetOf = ({ tenant }: StartedTenant) => tenant.directory(targetId);
const add = (started: StartedTenant, userName: string) =>
  String(sourceOf(started).create('Users', { userName })['id']);
const userNames = (started: StartedTenant) =>
  [...targetOf(started).resources('Users')].map(({ userName }) => String(userName)).toSorted();
const inTarget = (job: Job) => statistics(job)['Users Shop.target'] ?? {};

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'jobs-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('SIMULATE tells what a full READ would do and writes nothing', async () => {
  await using started = await pair();
  const [, b = '', c = ''] = ['a', 'b', 'c'].map((name) => add(started, name));
  await started.tenant.runJob('READ', sourceId);
  sourceOf(started).replace('Users', b, { userName: 'b', title: 'changed' });
  sourceOf(started).delete('Users', c);
  add(started, 'd');
  targetOf(started).create('Users', { userName: 'e' });
  add(started, 'e');
  const simulated = await started.tenant.runJob('SIMULATE', sourceId);
  assert.deepEqual(inTarget(simulated), { created: 1, updated: 2, deleted: 1 });
  assert.deepEqual(userNames(started), ['a', 'b', 'c', 'e']);
  assert.deepEqual(inTarget(await started.tenant.runJob('READ', sourceId)), inTarget(simulated));
});

test('SIMULATE is no first read: the READ after it is still full', async () => {
  await using started = await pair({ source: { properties: { 'ips.delta.read': 'enabled' } } });
  await started.tenant.runJob('SIMULATE', sourceId);
  assert.equal((await started.tenant.runJob('READ', sourceId)).readMode, 'Full');
});

const forced = { properties: { 'ips.delta.read': 'enabled', 'ips.full.read.force.count': '2' } };

test('a scheduled READ is full again after as many delta reads as the property says', async () => {
  await using started = await pair({ source: forced });
  const modes: string[] = [];
  for (let n = 0; n < 5; n++) modes.push((await started.tenant.runJob('READ', sourceId)).readMode);
  assert.deepEqual(modes, ['Full', 'Delta', 'Delta', 'Full', 'Delta']);
});

test('a full read that is due is tried until it succeeds', async () => {
  await using started = await pair({ source: forced });
  for (let n = 0; n < 3; n++) await started.tenant.runJob('READ', sourceId);
  started.tenant.faults.order([{ fault: { kind: 'backend-status', status: 500 }, path: sourceId, times: 1 }]);
  const failed = await started.tenant.runJob('READ', sourceId);
  assert.deepEqual([failed.readMode, failed.status], ['Full', 'Finished with Error']);
  assert.equal((await started.tenant.runJob('READ', sourceId)).readMode, 'Full');
});

async function modesOf(started: StartedTenant, ...triggers: readonly Trigger[]): Promise<string[]> {
  const modes: string[] = [];
  for (const trigger of triggers)
    modes.push((await started.tenant.runJob('READ', sourceId, trigger)).readMode);
  return modes;
}

test('reads that an administrator starts are not counted', async () => {
  await using started = await pair({ source: forced });
  const modes = await modesOf(started, 'REPEAT', 'IMMEDIATE', 'IMMEDIATE', 'REPEAT');
  assert.deepEqual(modes, ['Full', 'Delta', 'Delta', 'Delta']);
});

test('a full read is forced on the schedule, not on an administrator', async () => {
  await using started = await pair({ source: forced });
  const modes = await modesOf(started, 'REPEAT', 'REPEAT', 'REPEAT', 'IMMEDIATE', 'REPEAT');
  assert.deepEqual(modes, ['Full', 'Delta', 'Delta', 'Delta', 'Full']);
});

test('what a target in a file was given is known after a restart', async () => {
  await inFolder(async (folder) => {
    const files = { sourceFile: join(folder, 'source.sqlite'), targetFile: join(folder, 'target.sqlite') };
    let gone = '';
    {
      await using started = await pair(files);
      add(started, 'a');
      gone = add(started, 'b');
      await started.tenant.runJob('READ', sourceId);
    }
    await using again = await pair(files);
    sourceOf(again).delete('Users', gone);
    const job = await again.tenant.runJob('READ', sourceId);
    assert.deepEqual(inTarget(job), { deleted: 1 });
    assert.deepEqual(userNames(again), ['a']);
  });
});

test('what a target elsewhere was given is known after a restart where the tenant keeps its state', async () => {
  await inFolder(async (folder) => {
    const source = { kind: 'directory', users: 0, groups: 0, file: join(folder, 'source.sqlite') } as const;
    const shapes = { Users: { key: 'userName' }, Groups: { key: 'displayName' } };
    const tenantWith = (...there: readonly string[]) => {
      const Users = there.map((userName) => ({ userName }));
      const target = { kind: 'native', shapes, documents: { Users } } as const;
      const systems: SystemOptions[] = [
        { id: sourceId, name: 'HR', role: 'source', backend: source },
        { id: targetId, name: 'Shop', role: 'target', backend: target },
      ];
      return pair({ tenant: { systems, state: join(folder, 'tenant.sqlite') } });
    };
    {
      await using started = await tenantWith();
      add(started, 'a');
      assert.deepEqual(inTarget(await started.tenant.runJob('READ', sourceId)), { created: 1 });
    }
    await using again = await tenantWith('a');
    // Had the tenant forgotten it, a conflict would make it an update.
    assert.deepEqual(inTarget(await again.tenant.runJob('READ', sourceId)), {});
  });
});

test("the source system's filter property leaves entities out of jobs", async () => {
  await using started = await pair({ source: { properties: { 'scim.user.filter': 'userName sw "a"' } } });
  for (const name of ['a1', 'a2', 'b1']) add(started, name);
  await started.tenant.runJob('READ', sourceId);
  assert.deepEqual(userNames(started), ['a1', 'a2']);
});

test('a target that is updated by PATCH keeps what the job does not write', async () => {
  await using started = await pair({ target: { properties: { 'scim.support.patch.operation': 'true' } } });
  const id = add(started, 'a');
  await started.tenant.runJob('READ', sourceId);
  const [before] = targetOf(started).resources('Users');
  targetOf(started).replace('Users', String(before?.['id']), { userName: 'a', title: 'set over there' });
  sourceOf(started).replace('Users', id, { userName: 'a', nickName: 'A' });
  assert.deepEqual(inTarget(await started.tenant.runJob('READ', sourceId)), { updated: 1 });
  const [after] = targetOf(started).resources('Users');
  assert.deepEqual([after?.['nickName'], after?.['title']], ['A', 'set over there']);
});

test('the variable unassignGroup takes an entity out of groups when it is deprovisioned', async () => {
  const writeTransformation = {
    user: {
      mappings: [
        { sourcePath: '$.userName', targetPath: '$.userName' },
        {
          constant: [{ id: 'everyone' }],
          preserveArrayWithSingleElement: true,
          targetVariable: 'assignGroup',
        },
        { scope: 'deleteEntity', constant: [{ id: 'everyone' }], targetVariable: 'unassignGroup' },
        { scope: 'deleteEntity', constant: false, targetPath: '$.active' },
      ],
    },
  };
  await using started = await pair({ target: { writeTransformation } });
  targetOf(started).create('Groups', { displayName: 'Everyone' }, 'everyone');
  const id = add(started, 'a');
  await started.tenant.runJob('READ', sourceId);
  sourceOf(started).delete('Users', id);
  await started.tenant.runJob('READ', sourceId);
  const [user] = targetOf(started).resources('Users');
  assert.deepEqual([user?.['active'], user?.['groups']], [false, undefined]);
});

test('a job that the end of the tenant interrupts goes on at the next start, under a new id', async () => {
  await inFolder(async (folder) => {
    const files = { sourceFile: join(folder, 'source.sqlite'), targetFile: join(folder, 'target.sqlite') };
    const kept = { ...files, tenant: { state: join(folder, 'tenant.sqlite') } };
    let interrupted: Promise<Job>;
    {
      await using started = await pair(kept);
      const source = sourceOf(started);
      source.load(() => {
        for (let n = 0; n < 450; n++)
          source.insert('Users', `u${n}`, { userName: `u${n}` }, '2026-01-01T00:00:00.000Z');
      });
      interrupted = started.tenant.runJob('READ', sourceId);
      while (targetOf(started).count('Users') < 100) await turn();
    }
    const { status, position } = await interrupted;
    assert.deepEqual([status, position?.type], ['Pending Restart', 'Users']);
    assert.ok((position?.startIndex ?? 0) > 1);
    await using again = await pair(kept);
    assert.ok(targetOf(again).count('Users') < 450);
    await again.tenant.settle();
    assert.equal(targetOf(again).count('Users'), 450);
  });
});

test('a resumed job goes on at the page where it was, and deletes nothing', async () => {
  await inFolder(async (folder) => {
    const files = { sourceFile: join(folder, 'source.sqlite'), targetFile: join(folder, 'target.sqlite') };
    const kept = { ...files, tenant: { state: join(folder, 'tenant.sqlite') } };
    const modified = (started: StartedTenant) =>
      new Map([...targetOf(started).resources('Users')].map(({ userName, meta }) => [userName, meta]));
    let before = new Map<unknown, unknown>();
    {
      await using started = await pair(kept);
      for (let n = 0; n < 450; n++) add(started, `u${n}`);
      await started.tenant.runJob('READ', sourceId);
      before = modified(started);
      void started.tenant.runJob('RESYNC', sourceId);
      while (isDeepStrictEqual(modified(started).get('u99'), before.get('u99'))) await turn();
      before = modified(started);
    }
    await using again = await pair(kept);
    await again.tenant.settle();
    const after = modified(again);
    assert.equal(after.size, 450);
    assert.deepEqual(after.get('u0'), before.get('u0'));
    assert.notDeepEqual(after.get('u449'), before.get('u449'));
  });
});

test('calls are answered while a job reads a large source', async () => {
  await using started = await pair();
  const source = sourceOf(started);
  source.load(() => {
    for (let n = 0; n < 3000; n++)
      source.insert('Users', `u${n}`, { userName: `u${n}` }, '2026-01-01T00:00:00.000Z');
  });
  const job = started.tenant.runJob('READ', sourceId);
  assert.equal((await started.fetch('/rehearsal/jobs/none')).status, 404);
  const inBetween = targetOf(started).count('Users');
  await job;
  assert.ok(inBetween < 3000, `${inBetween} of 3000`);
});

const rehearse = (started: StartedTenant, body: unknown) =>
  started.fetch('/rehearsal/jobs', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

test('a job that is started on this machine is watched until it has ended', async () => {
  await using started = await pair();
  add(started, 'a');
  const begun = await rehearse(started, { type: 'SIMULATE', source: sourceId });
  assert.deepEqual([begun.status, begun.body['status']], [202, 'Running']);
  const state = async () => (await started.fetch(`/rehearsal/jobs/${begun.body.id}`)).body;
  while ((await state())['status'] === 'Running') await sleep(5);
  const { status, statistics: figures } = await state();
  assert.deepEqual(
    [status, figures],
    ['Success', { 'Users HR.source': { read: 1 }, 'Users Shop.target': { created: 1 } }],
  );
});

test('a job of no source system, of no type and an unknown job are refused', async () => {
  await using started = await pair();
  assert.equal((await rehearse(started, { type: 'READ', source: targetId })).status, 404);
  assert.equal((await rehearse(started, { type: 'WRITE', source: sourceId })).status, 400);
  assert.equal((await started.fetch('/rehearsal/jobs/none')).status, 404);
});

test('the log tells who started a job', async () => {
  await using started = await pair();
  const scheduled = logFile(await started.tenant.runJob('READ', sourceId), 'commonLog', {}).text;
  assert.match(scheduled, /^Trigger Type: REPEAT\nTriggered By: schedule$/m);
  const asked = logFile(await started.tenant.runJob('READ', sourceId, 'IMMEDIATE'), 'commonLog', {}).text;
  assert.match(asked, /^Trigger Type: IMMEDIATE$/m);
});
