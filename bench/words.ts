/** How figures of a run are written, the same in table, chart and document. */
import type { WayName } from './way.ts';
import type { Costs, Sizes, Workload } from './workloads.ts';

export const wayTitles: Readonly<Record<WayName, string>> = {
  direct: 'direct',
  nginx: 'nginx, proxy_cache',
  'gatehouse-1': 'Gatehouse',
  'gatehouse-3': 'Gatehouse, 3 replicas',
};

export function titlesOf(sizes: Sizes): Readonly<Record<Workload, string>> {
  const { users, groups, singleReads, additions, creates, burst, minutesBetween } = sizes;
  return {
    a: `(a) initial load: ${number(users)} users, ${number(groups)} groups, 25 a page`,
    b: `(b) the same load ${number(minutesBetween)} minutes later`,
    c: `(c) ${number(singleReads)} reads of one user after a load`,
    'd-patch': `(d) ${number(additions)} members added to one group by PATCH`,
    'd-put': `(d) ${number(additions)} members added to one group by GET and PUT`,
    'd-refuse': `(d) the same with lost updates refused (409), and read again`,
    e: `(e) ${number(creates)} users created, each looked up before`,
    f: `(f) one user switched off during loads, then ${number(burst)}`,
  };
}

export function number(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function minutes(seconds: number): string {
  return (seconds / 60).toFixed(1);
}

/** What only some workloads have. */
export function noteOf({ workload, lost, one, all, failed, parallel, waited }: Costs): string {
  const waiting = `${parallel.toFixed(0)} at work, ${waited.toFixed(1)} s each`;
  if (lost !== undefined) return `${number(lost)} members lost; ${waiting}`;
  if (workload !== 'f') return '';
  const first = one === undefined ? 'the one was not' : `the one after ${one.toFixed(1)} s`;
  const rest = all === undefined ? `${number(failed)} of all were not` : `all after ${minutes(all)} min`;
  return `${first}, ${rest}`;
}
