/**
 * What an identity manager does in a day, workload by workload. Each begins after a minute of silence, so that none pays
 * for what the one before has used of the quota; a load and what follows it share a tenant, the others have one each.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { gather, type Crew } from './caller.ts';
import { createEach } from './creates.ts';
import { addEach, byPatch, byReplacing, type Addition } from './members.ts';
import { loadAll, readEach } from './reads.ts';
import { switchOffDuringLoads, type Urgency } from './urgent.ts';
import { openWay, type Way, type WayName, type WaySettings } from './way.ts';

export const workloads = ['a', 'b', 'c', 'd-patch', 'd-put', 'd-refuse', 'e', 'f'] as const;
export type Workload = (typeof workloads)[number];

export interface Sizes {
  readonly users: number;
  readonly groups: number;
  readonly singleReads: number;
  readonly additions: number;
  readonly creates: number;
  readonly burst: number;
  readonly minutesBetween: number;
  readonly quietSeconds: number;
}

/** What one workload cost one way; times are in seconds of the tenant's clock. */
export interface Costs extends Urgency {
  readonly workload: Workload;
  readonly way: WayName;
  readonly up: number;
  /** Answers with 429 that callers got. */
  readonly refused: number;
  readonly operations: number;
  readonly failed: number;
  readonly seconds: number;
  /** Operations at work at the same time, on average. */
  readonly parallel: number;
  /** How long an operation took on average, and at most. */
  readonly waited: number;
  readonly longest: number;
  /** Members that callers were told are added and that the tenant does not have. */
  readonly lost?: number;
}

interface Stage {
  readonly name: WayName;
  readonly settings: Omit<WaySettings, 'assignment'>;
  readonly sizes: Sizes;
  readonly isWanted: (workload: Workload) => boolean;
  readonly begin: (workload: Workload) => void;
  readonly report: (costs: Costs) => void;
}

interface Play {
  readonly workloads: readonly Workload[];
  /** How much faster the clock runs for Gatehouse: what the machine takes counts so many times. */
  readonly factor: number;
  /** The others have nothing of the kind. */
  readonly isGatehouseAlone?: boolean;
  readonly run: (stage: Stage) => Promise<void>;
}

/** The workloads that are played together. */
export const plays: readonly Play[] = [
  { workloads: ['a', 'b', 'c'], factor: 5, run: playLoads },
  {
    workloads: ['d-patch'],
    factor: 10,
    run: (stage) => playAdditions(stage, 'd-patch', { assignment: 'PATCH' }, byPatch),
  },
  {
    workloads: ['d-put'],
    factor: 10,
    run: (stage) => playAdditions(stage, 'd-put', { assignment: 'PUT' }, byReplacing),
  },
  {
    workloads: ['d-refuse'],
    factor: 10,
    isGatehouseAlone: true,
    run: (stage) =>
      playAdditions(stage, 'd-refuse', { assignment: 'PUT', lostUpdates: 'refuse' }, byReplacing),
  },
  { workloads: ['e'], factor: 10, run: playCreates },
  { workloads: ['f'], factor: 5, run: playUrgency },
];

async function playLoads(stage: Stage): Promise<void> {
  await using way = await openWay(stage.name, { ...stage.settings, assignment: 'PUT' });
  const { users, groups, singleReads, minutesBetween } = stage.sizes;
  const load = async (crew: Crew): Promise<void> => {
    const { size } = new Set(await loadAll(crew));
    if (crew.tally.failed === 0 && size !== users + groups) throw new Error(`${size} resources were loaded`);
  };
  // What comes after a load needs it, whether or not it is asked for.
  await measure(stage, way, 'a', load);
  if (stage.isWanted('b')) {
    await sleep((minutesBetween * 60_000) / way.factor);
    await measure(stage, way, 'b', load);
  }
  if (!stage.isWanted('c')) return;
  const ids = (await way.tenant.ask('users')).slice(0, singleReads);
  await measure(stage, way, 'c', (crew) => readEach(crew, ids));
}

async function playAdditions(
  stage: Stage,
  workload: Workload,
  system: Pick<WaySettings, 'assignment' | 'lostUpdates'>,
  add: Addition,
): Promise<void> {
  await using way = await openWay(stage.name, { ...stage.settings, ...system });
  const group = await way.tenant.ask('createGroup', 'Everybody');
  const users = (await way.tenant.ask('users')).slice(0, stage.sizes.additions);
  await measure(stage, way, workload, async (crew) => {
    const added = await addEach(crew, group, users, add);
    const members = new Set(await way.tenant.ask('members', group));
    return { lost: added.filter((user) => !members.has(user)).length };
  });
}

async function playCreates(stage: Stage): Promise<void> {
  await using way = await openWay(stage.name, { ...stage.settings, assignment: 'PUT' });
  await measure(stage, way, 'e', (crew) => createEach(crew, stage.sizes.creates));
}

async function playUrgency(stage: Stage): Promise<void> {
  await using way = await openWay(stage.name, { ...stage.settings, assignment: 'PUT' });
  const users = await way.tenant.ask('users');
  const [one = '', ...many] = users.slice(0, stage.sizes.burst + 1);
  const readOnly = users.slice(stage.sizes.burst + 1);
  await measure(stage, way, 'f', (crew) => switchOffDuringLoads(way, crew, { readOnly, one, many }));
}

async function measure(
  { sizes, begin, report }: Stage,
  way: Way,
  workload: Workload,
  work: (crew: Crew) => Promise<Partial<Costs> | void>,
): Promise<void> {
  begin(workload);
  await sleep((sizes.quietSeconds * 1000) / way.factor);
  using crew = gather(way);
  const before = await way.tenant.ask('calls');
  const startedAt = performance.now();
  const found = await work(crew);
  const seconds = ((performance.now() - startedAt) * way.factor) / 1000;
  const { operations, refused, failed, waited, longest } = crew.tally;
  report({
    workload,
    way: way.name,
    up: (await way.tenant.ask('calls')) - before,
    refused,
    operations,
    failed,
    seconds,
    parallel: waited / seconds,
    waited: waited / operations,
    longest,
    ...found,
  });
}
