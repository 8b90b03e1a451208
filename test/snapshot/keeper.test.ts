/** A snapshot that is kept: when it is made anew, and who is told when it cannot be. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

import { MemorySlate } from '../../src/snapshot/memory-slate.ts';
import { Snapshots } from '../../src/snapshot/snapshots.ts';
import { eventually } from '../support/eventually.ts';
import { Collection, many } from './collection.ts';

const users = { tenant: 'acme', system: 'hr', origin: 'https://acme/', resourceType: 'Users' };
const rules = {
  fullMs: 1000,
  changesMs: 1000,
  maxAgeMs: 60_000,
  maxBytes: 1_000_000,
  maxReplyBytes: 1_000_000,
};
const patienceMs = 20_000;

class Stage implements Disposable {
  readonly tenant = new Collection(many(100));
  readonly events: { readonly event: string; readonly facts: Record<string, unknown> }[] = [];
  readonly snapshots = new Snapshots({
    slateOf: (_, name) => new MemorySlate(name),
    key: Buffer.alloc(32, 7),
    note: (event, facts) => void this.events.push({ event, facts }),
  });

  constructor(change: Partial<typeof rules> = {}) {
    this.snapshots.keepTo([{ ...users, ...rules, ...change, source: this.tenant }], []);
  }

  async size(): Promise<number | undefined> {
    const shown = await this.snapshots.show(users, { startIndex: 1, count: 0 }, this.tenant.single);
    return shown && (JSON.parse(shown.reply.body.toString('utf8')) as { totalResults: number }).totalResults;
  }

  comesTo(size: number): Promise<void> {
    return eventually(async () => (await this.size()) === size, patienceMs);
  }

  tells(event: string): Promise<void> {
    return eventually(async () => this.events.some((each) => each.event === event), patienceMs);
  }

  [Symbol.dispose](): void {
    this.snapshots[Symbol.dispose]();
  }
}

test('a snapshot is made anew at its time, and its figures tell how it is', async () => {
  using stage = new Stage();
  await stage.comesTo(100);
  stage.tenant.people.push({ id: 'new', passes: true, version: 0 });
  await stage.comesTo(101);
  const state = (await stage.snapshots.states()).get('hr/Users');
  assert.deepEqual([state?.total, state?.isShown, state?.isFaulty], [101, true, false]);
  assert.ok(state && state.bytes > 0 && state.ageMs !== undefined);
});

test('a snapshot that the clock was set back behind is not shown, and made anew', async ({ mock }) => {
  const now = Date.now;
  using stage = new Stage({ fullMs: 3_600_000 });
  await stage.comesTo(100);
  stage.tenant.people.push({ id: 'new', passes: true, version: 0 });
  mock.method(Date, 'now', () => now() - 3_600_000);
  assert.equal(await stage.size(), undefined);
  await stage.comesTo(101);
  assert.equal((await stage.snapshots.states()).get('hr/Users')?.isShown, true);
});

test('a tenant that fails is told once, the old snapshot stays, and its recovery is told', async () => {
  using stage = new Stage();
  await stage.comesTo(100);
  stage.tenant.status = 500;
  await stage.tells('snapshot.failed');
  const tried = stage.tenant.asked.length;
  await eventually(async () => stage.tenant.asked.length > tried, patienceMs);
  assert.equal(await stage.size(), 100);
  assert.equal((await stage.snapshots.states()).get('hr/Users')?.isFaulty, true);
  stage.tenant.status = 200;
  await stage.tells('snapshot.recovered');
  assert.deepEqual(
    stage.events.map(({ event }) => event),
    ['snapshot.failed', 'snapshot.recovered'],
  );
  assert.deepEqual(stage.events[0]?.facts, { ...asFacts, fault: 'tenant-error' });
});

test('a snapshot that shrank too much is kept until somebody releases the new one', async () => {
  using stage = new Stage();
  await stage.comesTo(100);
  stage.tenant.people.splice(0, 20);
  await stage.tells('snapshot.refused');
  assert.equal(await stage.size(), 100);
  assert.deepEqual(stage.events[0]?.facts, { ...asFacts, fault: 'shrunk', before: 100, after: 80 });
  assert.equal(await stage.snapshots.release('hr', 'Groups'), false);
  assert.equal(await stage.snapshots.release('hr', 'Users'), true);
  await stage.comesTo(80);
  assert.ok(stage.events.some(({ event }) => event === 'snapshot.released'));
  stage.tenant.people.splice(0, 20);
  await eventually(
    async () => stage.events.filter(({ event }) => event === 'snapshot.refused').length > 1,
    patienceMs,
  );
});

test('a replica that failed tells of the recovery when another one has made the snapshot', async () => {
  const slates = new Map<string, MemorySlate>();
  const events: string[] = [];
  const replica = (tenant: Collection): Snapshots => {
    const snapshots = new Snapshots({
      slateOf: (_, name) => slates.getOrInsertComputed(name, () => new MemorySlate(name)),
      key: Buffer.alloc(32, 7),
      note: (event) => void events.push(event),
    });
    snapshots.keepTo([{ ...users, ...rules, fullMs: 5000, source: tenant }], []);
    return snapshots;
  };
  const unlucky = new Collection(many(100));
  unlucky.status = 500;
  using _first = replica(unlucky);
  await eventually(async () => events.includes('snapshot.failed'), patienceMs);
  using _other = replica(new Collection(many(100)));
  await eventually(async () => events.includes('snapshot.recovered'), patienceMs);
  assert.deepEqual(events, ['snapshot.failed', 'snapshot.recovered']);
});

/** Alone until another replica takes the lease. */
class Leased extends MemorySlate {
  prolonged = 0;
  isTaken = false;

  override async lease(): Promise<boolean> {
    this.prolonged += 1;
    return !this.isTaken;
  }
}

function leased(tenant: Collection): Disposable & { readonly slate: Leased; readonly faults: unknown[] } {
  const slate = new Leased('users');
  const faults: unknown[] = [];
  const snapshots = new Snapshots({
    slateOf: () => slate,
    key: Buffer.alloc(32, 7),
    note: (_, facts) => void faults.push(facts['fault']),
  });
  snapshots.keepTo([{ ...users, ...rules, source: tenant }], []);
  return { slate, faults, [Symbol.dispose]: () => snapshots[Symbol.dispose]() };
}

test('the lease is prolonged while a reading waits for its turn, and no longer', async ({ mock }) => {
  mock.timers.enable({ apis: ['setInterval'] });
  const tenant = new Collection(many(10));
  const { promise: turn, resolve: take } = Promise.withResolvers<void>();
  tenant.pause = () => turn;
  const stage = leased(tenant);
  using _ = stage;
  await eventually(async () => tenant.asked.length > 0, patienceMs);
  const before = stage.slate.prolonged;
  for (let minute = 0; minute < 5; minute += 1) mock.timers.tick(60_000);
  assert.ok(stage.slate.prolonged >= before + 5);
  stage[Symbol.dispose]();
  const after = stage.slate.prolonged;
  mock.timers.tick(300_000);
  assert.equal(stage.slate.prolonged, after);
  take();
});

test('a reading is given up when another replica has taken the lease', async () => {
  const tenant = new Collection(many(500));
  using stage = leased(tenant);
  tenant.onPage = (startIndex) => void (stage.slate.isTaken ||= startIndex > 50);
  await eventually(async () => stage.faults.includes('overtaken'), patienceMs);
  assert.equal(tenant.asked.length, 2);
});

const asFacts = { system: 'hr', resourceType: 'Users' };

test('a fault that nobody expected is left to the process, which tells of it and ends: it is not lost', async () => {
  const modules = ['snapshots', 'memory-slate'].map((name) =>
    JSON.stringify(import.meta.resolve(`../../src/snapshot/${name}.ts`)),
  );
  const script = `
    import { Snapshots } from ${modules[0]};
    import { MemorySlate } from ${modules[1]};
    process.on('uncaughtException', ({ message }) => process.stdout.write(message, () => process.exit(3)));
    const slate = new MemorySlate('users');
    slate.read = () => Promise.reject(new Error('a defect'));
    new Snapshots({ slateOf: () => slate, key: Buffer.alloc(32), note: () => {} })
      .keepTo([${JSON.stringify({ ...users, ...rules, fullMs: 40 })}], []);
    setTimeout(() => {}, ${patienceMs});
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  child.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
  assert.deepEqual([...(await once(child, 'close')), told], [3, null, 'a defect']);
});
