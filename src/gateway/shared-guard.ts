/**
 * The guard as the configuration wants it: its state stands beside the trail, and replicas that share a Redis for what they
 * remember count there together. It has a connection of its own, so that large replies never stand in its way.
 */
import { join } from 'node:path';

import { readOrCreatePeriodKey } from '../audit/period-file.ts';
import type { Trail } from '../audit/trail.ts';
import { makePrivate } from '../file-desk.ts';
import { GroupSizes } from '../guard/group-sizes.ts';
import { Guard } from '../guard/guard.ts';
import { LastLoads } from '../guard/last-loads.ts';
import { LoadGuard } from '../guard/load-guard.ts';
import { LocalBook } from '../guard/local-book.ts';
import { RedisBook } from '../guard/redis-book.ts';
import { log } from '../log.ts';
import type { Config } from './config.ts';
import type { Guarding } from './guarded.ts';
import { periodKeyFileOf } from './own-trail.ts';
import { pseudonymsFrom } from './pseudonyms.ts';
import { openRedis } from './redis.ts';

export interface OpenGuard extends AsyncDisposable {
  readonly guarding: Guarding;
}

/** Where the guard of an instance keeps its state; `gatehouse guard` finds it there. */
export function guardPlaces({ audit }: Pick<Config, 'audit'>) {
  const directory = join(audit.directory, audit.instance, 'guard');
  return { directory, state: join(directory, 'state.json') };
}

/** @param key the same on all replicas */
export async function openGuard(config: Config, key: Buffer, trail: Trail): Promise<OpenGuard> {
  await using starting = new AsyncDisposableStack();
  const { directory, state } = guardPlaces(config);
  await makePrivate(directory);
  const tell = (event: string, facts: Readonly<Record<string, unknown>>): void => {
    if (event === 'guard.exceeded') log.warn('the guard has found more than its ceiling', facts);
    void trail.remember(event, { ...facts });
  };
  const shared = starting.use(openShared(config, tell)).book;
  const guard = new Guard({
    key,
    local: await LocalBook.open(state),
    shared,
    record: (event, facts) => trail.note(event, { ...facts }),
    tell,
  });
  const pseudonyms = pseudonymsFrom(await readOrCreatePeriodKey(periodKeyFileOf(config.audit)));
  const loads = new LoadGuard({ guard, last: new LastLoads(directory), pseudonyms, tell });
  const parts = starting.move();
  return {
    guarding: { guard, loads, sizes: new GroupSizes(shared), pseudonyms },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function openShared(
  { cache }: Config,
  tell: (event: string, facts: Readonly<Record<string, unknown>>) => void,
): Disposable & { readonly book?: RedisBook } {
  if (cache.store === 'memory' || !cache.redis) return { [Symbol.dispose]: () => {} };
  using starting = new DisposableStack();
  const { budget, ...place } = cache.redis;
  const { redis } = starting.use(openRedis(place));
  const book = starting.use(
    new RedisBook({
      redis,
      budgetMs: budget,
      onState: ({ state, reason }) => {
        log.warn('what replicas count together for the guard changed its state', { state, reason });
        tell(state === 'on' ? 'guard.recovered' : 'guard.degraded', { state, reason });
      },
    }),
  );
  const parts = starting.move();
  return { book, [Symbol.dispose]: () => parts.dispose() };
}
