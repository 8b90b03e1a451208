/** The guard: its state stands beside the trail, and replicas that share a Redis count there together. */
import { join } from 'node:path';

import { readOrCreatePeriodKey } from '../audit/period-file.ts';
import type { Trail } from '../audit/trail.ts';
import { makePrivate } from '../file-desk.ts';
import { GroupSizes } from '../guard/group-sizes.ts';
import { Guard } from '../guard/guard.ts';
import { Holds } from '../guard/holds.ts';
import { LastLoads } from '../guard/last-loads.ts';
import { LoadGuard } from '../guard/load-guard.ts';
import { LoadReports } from '../guard/load-reports.ts';
import { LocalBook } from '../guard/local-book.ts';
import { RedisBook } from '../guard/redis-book.ts';
import { log } from '../log.ts';
import type { Config } from './config.ts';
import type { Guarding } from './guarded.ts';
import { periodKeyFileOf, type Note } from './own-trail.ts';
import { pseudonymsFrom } from './pseudonyms.ts';
import type { Sharing } from './sharing.ts';

/** Where the guard of an instance keeps its state; `gatehouse guard` finds it there. */
export function guardPlaces({ audit }: Pick<Config, 'audit'>) {
  const directory = join(audit.directory, audit.instance, 'guard');
  return { directory, state: join(directory, 'state.json') };
}

/** @param key the same on all replicas */
export async function openGuard(
  config: Config,
  sharing: Sharing,
  key: Buffer,
  trail: Trail,
): Promise<Guarding> {
  const { directory, state } = guardPlaces(config);
  await makePrivate(directory);
  const tell: Note = (event, facts) => {
    if (event === 'guard.exceeded') log.warn('the guard has found more than its ceiling', facts);
    void trail.remember(event, { ...facts });
  };
  const shared = sharing.open(
    {
      what: 'what replicas count together for the guard',
      on: 'guard.recovered',
      off: 'guard.degraded',
    },
    (connection) => new RedisBook({ ...connection, key }),
  );
  const local = await LocalBook.open(state);
  const record = (...[event, facts]: Parameters<Note>): Promise<void> => trail.note(event, { ...facts });
  const holds = new Holds({ key, local, shared, record, tell });
  const pseudonyms = pseudonymsFrom(await readOrCreatePeriodKey(periodKeyFileOf(config.audit)));
  const reports = new LoadReports({ holds, last: new LastLoads(directory), tell });
  return {
    guard: new Guard({ holds, local, shared, tell }),
    holds,
    reports,
    loads: new LoadGuard({ reports, pseudonyms }),
    sizes: new GroupSizes(shared),
    pseudonyms,
  };
}
