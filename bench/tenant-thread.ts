/**
 * The embedded tenant of the workloads in a thread of its own, so that neither who calls nor who measures takes its time.
 * It counts what arrives, and afterwards tells what its directory holds.
 */
import { parentPort, workerData } from 'node:worker_threads';

import { withDefaultTransformations } from '../src/ips/default-transformations.ts';
import { proxyLimits } from '../src/ips/limiter.ts';
import { post } from '../src/thread.ts';
import { proxyId, startedTenant } from '../test/ips/started-tenant.ts';
import type { Answers, Ask, Population } from './tenant.ts';

const { users, groups, factor, counted }: Population = workerData;
const { minuteMs, delayMs } = proxyLimits;
const limits = { ...proxyLimits, minuteMs: minuteMs / factor, delayMs: delayMs / factor };
const unlimited = { slowAt: 1e9, refuseAt: 1e9, minuteMs: 1000, delayMs: 0 };
const { tenant } = await startedTenant({
  limiter: counted ? limits : unlimited,
  systems: [withDefaultTransformations({ id: proxyId, backend: { kind: 'directory', users, groups } })],
});
const directory = tenant.directory(proxyId);

const answers: {
  [Name in keyof Answers]: (...given: Parameters<Answers[Name]>) => ReturnType<Answers[Name]>;
} = {
  calls: () => tenant.figures.calls,
  users: () => directory.list('Users', 1, users).resources.map(({ id }) => String(id)),
  createGroup: (displayName) => String(directory.create('Groups', { displayName })['id']),
  members: (group) => {
    const { members = [] } = directory.get('Groups', group) as { members?: { value: string }[] };
    return members.map(({ value }) => value);
  },
  switchedOffAt: (ids) =>
    ids.map((id) => {
      const { active, meta } = directory.get('Users', id) as {
        active?: boolean;
        meta: { lastModified: string };
      };
      return active === false ? Date.parse(meta.lastModified) : undefined;
    }),
};

parentPort?.on('message', ({ number, name, given }: Ask) => {
  const answer: (...all: never[]) => unknown = answers[name];
  post(parentPort, { number, answer: answer(...(given as never[])) });
});
post(parentPort, tenant.url.origin);
