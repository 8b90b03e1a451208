/** Standard mode and real-time provisioning between two embedded directories (facts: IPS 9, 10). */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { statistics, type Job } from '../../src/ips/job.ts';
import type { SystemOptions } from '../../src/ips/system.ts';
import { basic, sourceId, startedTenant, type StartedTenant } from './started-tenant.ts';

const targetId = '77777777-44d4-4f0c-9a5e-1d2a3b4c5d6e';
const empty = { kind: 'directory', users: 0, groups: 0 } as const;

function pair(source: Partial<SystemOptions> = {}, target: Partial<SystemOptions> = {}) {
  return startedTenant({
    pause: async () => undefined,
    systems: [
      { id: sourceId, name: 'HR', role: 'source', backend: empty, ...source },
      { id: targetId, name: 'Shop', role: 'target', backend: empty, ...target },
    ],
  });
}

const sourceOf = ({ tenant }: StartedTenant) => tenant.directory(sourceId);
const targetOf = ({ tenant }: StartedTenant) => tenant.directory(targetId);
const add = (started: StartedTenant, userName: string) =>
  String(sourceOf(started).create('Users', { userName })['id']);
const userNames = (started: StartedTenant) =>
  [...targetOf(started).resources('Users')].map(({ userName }) => String(userName)).toSorted();
/** `created 1` and so on, in the target. */
const written = (job: Job) => {
  const { read: _, ...row } = statistics(job)['Users Shop.target'] ?? {};
  return Object.entries(row)
    .map(([event, times]) => `${event} ${times}`)
    .toSorted();
};

/** A, B, C and D are provisioned; then C is changed, D deleted, E added. */
async function changed(started: StartedTenant): Promise<void> {
  const [, , c = '', d = ''] = ['a', 'b', 'c', 'd'].map((name) => add(started, name));
  assert.deepEqual(written(await started.tenant.runJob('READ', sourceId)), ['created 4']);
  sourceOf(started).replace('Users', c, { userName: 'c', title: 'changed' });
  sourceOf(started).delete('Users', d);
  add(started, 'e');
}

test('a full READ creates E, updates C and deletes D', async () => {
  await using started = await pair();
  await changed(started);
  const job = await started.tenant.runJob('READ', sourceId);
  assert.deepEqual(written(job), ['created 1', 'deleted 1', 'updated 1']);
  assert.deepEqual([job.status, job.readMode], ['Success', 'Full']);
  assert.deepEqual(userNames(started), ['a', 'b', 'c', 'e']);
});

test('a delta READ creates E and updates C, and deletes nothing', async () => {
  await using started = await pair({ properties: { 'ips.delta.read': 'enabled' } });
  await changed(started);
  const job = await started.tenant.runJob('READ', sourceId);
  assert.equal(job.readMode, 'Delta');
  assert.deepEqual(
    written(job).filter((row) => !row.startsWith('skipped')),
    ['created 1', 'updated 1'],
  );
  assert.deepEqual(userNames(started), ['a', 'b', 'c', 'd', 'e']);
});

test('a RESYNC creates E, updates A, B and C, and deletes D', async () => {
  await using started = await pair();
  await changed(started);
  const job = await started.tenant.runJob('RESYNC', sourceId);
  assert.deepEqual(written(job), ['created 1', 'deleted 1', 'updated 3']);
});

test('a RESYNC overwrites what was changed in the target, a READ does not', async () => {
  await using started = await pair();
  add(started, 'a');
  await started.tenant.runJob('READ', sourceId);
  const [there] = targetOf(started).resources('Users');
  const id = String(there?.['id']);
  targetOf(started).replace('Users', id, { userName: 'a', title: 'by hand' });
  await started.tenant.runJob('READ', sourceId);
  assert.equal(targetOf(started).get('Users', id)['title'], 'by hand');
  await started.tenant.runJob('RESYNC', sourceId);
  assert.equal(targetOf(started).get('Users', id)['title'], undefined);
});

test('an entity that existed before is found, updated, and not deleted with its source', async () => {
  await using started = await pair();
  targetOf(started).create('Users', { userName: 'a' });
  const id = add(started, 'a');
  assert.deepEqual(written(await started.tenant.runJob('READ', sourceId)), ['updated 1']);
  sourceOf(started).delete('Users', id);
  assert.deepEqual(written(await started.tenant.runJob('READ', sourceId)), []);
  assert.deepEqual(userNames(started), ['a']);
});

test('a property of the target lets the job delete what existed before', async () => {
  await using started = await pair({}, { properties: { 'ips.delete.existedbefore.entities': 'true' } });
  targetOf(started).create('Users', { userName: 'a' });
  const id = add(started, 'a');
  await started.tenant.runJob('READ', sourceId);
  sourceOf(started).delete('Users', id);
  assert.deepEqual(written(await started.tenant.runJob('READ', sourceId)), ['deleted 1']);
});

test('more deletions than the threshold are not done at all, and the job fails', async () => {
  await using started = await pair({}, { properties: { 'ips.delete.threshold.users': '1' } });
  const ids = ['a', 'b', 'c'].map((name) => add(started, name));
  await started.tenant.runJob('READ', sourceId);
  for (const id of ids.slice(0, 2)) sourceOf(started).delete('Users', id);
  const job = await started.tenant.runJob('READ', sourceId);
  assert.equal(job.status, 'Finished with Error');
  assert.deepEqual(userNames(started), ['a', 'b', 'c']);
});

test('members of a group are the ids of the target', async () => {
  await using started = await pair();
  const id = add(started, 'a');
  sourceOf(started).create('Groups', { displayName: 'Clerks', members: [{ value: id }] });
  await started.tenant.runJob('READ', sourceId);
  const [user] = targetOf(started).resources('Users');
  const [group] = targetOf(started).resources('Groups');
  assert.deepEqual(
    [group?.['members']].flat().map((member) => Reflect.get(Object(member), 'value')),
    [user?.['id']],
  );
});

const employees = {
  user: {
    condition: "$.userType == 'employee'",
    mappings: [
      { sourcePath: '$.id', targetVariable: 'entityIdSourceSystem' },
      { sourcePath: '$.userName', targetPath: '$.userName' },
    ],
  },
};

test('an entity whose condition is no longer met is skipped and deleted in the target', async () => {
  await using started = await pair({ readTransformation: employees });
  const { id } = sourceOf(started).create('Users', { userName: 'a', userType: 'employee' });
  await started.tenant.runJob('READ', sourceId);
  sourceOf(started).replace('Users', String(id), { userName: 'a', userType: 'partner' });
  const job = await started.tenant.runJob('READ', sourceId);
  assert.deepEqual(written(job), ['deleted 1']);
  const skipped = job.entries.find(({ event }) => event === 'skipped');
  assert.equal(skipped?.reason, "Entity condition [$.userType == 'employee'] is not fulfilled");
});

test('nothing is deleted when an entity could not be read', async () => {
  const strict = {
    user: { mappings: [...employees.user.mappings, { sourcePath: '$.title', targetPath: '$.title' }] },
  };
  await using started = await pair({ readTransformation: strict });
  const gone = sourceOf(started).create('Users', { userName: 'a', title: 'Dr.' });
  await started.tenant.runJob('READ', sourceId);
  sourceOf(started).delete('Users', String(gone['id']));
  add(started, 'b');
  const job = await started.tenant.runJob('READ', sourceId);
  assert.equal(job.status, 'Finished with Error');
  assert.deepEqual(userNames(started), ['a']);
});

test('mappings of scope deleteEntity turn a delete into an update', async () => {
  const disable = {
    user: {
      mappings: [
        { sourcePath: '$.userName', targetPath: '$.userName' },
        { scope: 'deleteEntity', constant: false, targetPath: '$.active' },
      ],
    },
  };
  await using started = await pair({}, { writeTransformation: disable });
  const id = add(started, 'a');
  await started.tenant.runJob('READ', sourceId);
  sourceOf(started).delete('Users', id);
  await started.tenant.runJob('READ', sourceId);
  const [user] = targetOf(started).resources('Users');
  assert.deepEqual([user?.['userName'], user?.['active']], ['a', false]);
});

test('the variable assignGroup makes a user a member of a group of the target', async () => {
  const writeTransformation = {
    user: {
      mappings: [
        { sourcePath: '$.userName', targetPath: '$.userName' },
        { constant: [{ id: 'everyone' }], targetVariable: 'assignGroup' },
      ],
    },
  };
  await using started = await pair({}, { writeTransformation });
  targetOf(started).create('Groups', { displayName: 'Everyone' }, 'everyone');
  add(started, 'a');
  assert.deepEqual(written(await started.tenant.runJob('READ', sourceId)), ['created 1']);
  const [user] = targetOf(started).resources('Users');
  assert.equal([user?.['groups']].flat().length, 1);
});

test('a target that subscribes to other sources only is left alone', async () => {
  await using started = await pair({}, { sources: ['other'] });
  add(started, 'a');
  await started.tenant.runJob('READ', sourceId);
  assert.deepEqual(userNames(started), []);
});

test('one entity that the target refuses fails alone and is named in the log of failures', async () => {
  await using started = await pair();
  const ids = ['a', 'b'].map((name) => add(started, name));
  started.tenant.faults.order([{ fault: { kind: 'backend-status', status: 500 }, path: targetId, times: 1 }]);
  const job = await started.tenant.runJob('READ', sourceId);
  assert.deepEqual(written(job), ['created 1', 'failed 1']);
  assert.equal(job.entries.find(({ event }) => event === 'failed')?.entityId, ids[0]);
});

test('a full read is repeated after a timeout of the source', async () => {
  await using started = await pair();
  add(started, 'a');
  started.tenant.faults.order([{ fault: { kind: 'backend-timeout' }, path: sourceId, times: 1 }]);
  assert.equal((await started.tenant.runJob('READ', sourceId)).status, 'Success');
  assert.deepEqual(userNames(started), ['a']);
});

test('a job of a disabled source fails and touches nothing', async () => {
  await using started = await pair({ enabled: false });
  add(started, 'a');
  const job = await started.tenant.runJob('READ', sourceId);
  assert.deepEqual([job.status, job.error], ['Finished with Error', 'The source system is disabled.']);
  assert.deepEqual(userNames(started), []);
});

const notify = (started: StartedTenant, method: string, id: string) =>
  started.fetch(`/ipsproxy/service/api/v1/systems/${sourceId}/entities/user`, {
    method,
    headers: { authorization: basic, 'content-type': 'application/json' },
    body: JSON.stringify({ id, userName: 'not what the source says' }),
  });

test('a real-time notice brings the entity as the source has it now', async () => {
  await using started = await pair();
  const id = add(started, 'a');
  assert.equal((await notify(started, 'POST', id)).status, 202);
  await started.tenant.settle();
  assert.deepEqual(userNames(started), ['a']);
  await notify(started, 'DELETE', id);
  await started.tenant.settle();
  assert.deepEqual(userNames(started), []);
});

test('a real-time notice of an entity that meets the condition no longer takes it away', async () => {
  await using started = await pair({ readTransformation: employees });
  const { id } = sourceOf(started).create('Users', { userName: 'a', userType: 'employee' });
  await notify(started, 'POST', String(id));
  await started.tenant.settle();
  sourceOf(started).replace('Users', String(id), { userName: 'a', userType: 'partner' });
  await notify(started, 'POST', String(id));
  await started.tenant.settle();
  assert.deepEqual(userNames(started), []);
  assert.deepEqual(
    started.tenant.notices.map(({ status }) => status),
    ['Success', 'Success'],
  );
});
