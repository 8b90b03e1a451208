/** What Gatehouse promises of the workloads at their full size, and whether it held in a run. */
import type { WayName } from './way.ts';
import type { Costs, Workload } from './workloads.ts';

export interface Verdict {
  readonly workload: Workload;
  readonly way: WayName;
  readonly promise: string;
  readonly held: boolean;
}

interface Promised {
  readonly workload: Workload;
  readonly promise: string;
  /** Undefined where the run does not say, as without the direct way to compare with. */
  readonly holds: (costs: Costs, direct: Costs | undefined) => boolean | undefined;
}

const isFlawless = ({ refused, failed }: Costs): boolean => refused === 0 && failed === 0;

const shareLost = ({ lost = 0, operations, failed }: Costs): number =>
  lost / Math.max(1, operations - failed);

const promises: readonly Promised[] = [
  { workload: 'a', promise: 'at most 210 calls up', holds: ({ up }) => up <= 210 },
  { workload: 'a', promise: 'at most 2 minutes', holds: ({ seconds }) => seconds <= 120 },
  { workload: 'a', promise: 'no 429 and no failed operation', holds: isFlawless },
  { workload: 'b', promise: 'at most 10 calls up', holds: ({ up }) => up <= 10 },
  { workload: 'c', promise: 'at most 45 calls up', holds: ({ up }) => up <= 45 },
  {
    workload: 'c',
    promise: 'at least 1 read in 500 compared with the tenant',
    holds: ({ up, operations }) => up >= operations / 500,
  },
  {
    workload: 'd-put',
    promise: 'of the members that were acknowledged no larger share lost than directly',
    holds: (costs, direct) => direct && shareLost(costs) <= shareLost(direct),
  },
  { workload: 'd-refuse', promise: 'no acknowledged member lost', holds: ({ lost }) => lost === 0 },
  {
    workload: 'f',
    promise: 'the one switched off within 5 s',
    holds: ({ one }) => one !== undefined && one <= 5,
  },
  {
    workload: 'f',
    promise: 'all switched off within 4 minutes',
    holds: ({ all }) => all !== undefined && all <= 240,
  },
  { workload: 'f', promise: 'none refused', holds: isFlawless },
];

export function judge(all: readonly Costs[]): Verdict[] {
  return all
    .filter(({ way }) => way.startsWith('gatehouse'))
    .flatMap((costs) => {
      const direct = all.find(({ way, workload }) => way === 'direct' && workload === costs.workload);
      const { workload, way } = costs;
      return promises
        .filter((each) => each.workload === workload)
        .flatMap(({ promise, holds }) => {
          const held = holds(costs, direct);
          return held === undefined ? [] : [{ workload, way, promise, held }];
        });
    });
}
