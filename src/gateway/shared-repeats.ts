/**
 * What is known of writes, as the configuration wants it: replicas that share a Redis for what they remember share this there
 * too, encrypted, on a connection of its own, so that large replies never stand in its way.
 */
import { log } from '../log.ts';
import { RecordSeal } from '../writes/record-seal.ts';
import { RedisRecords } from '../writes/redis-records.ts';
import { RepeatNames } from '../writes/repeat-names.ts';
import { Repeats } from '../writes/repeats.ts';
import type { Config } from './config.ts';
import { openRedis } from './redis.ts';

export interface OpenRepeats extends Disposable {
  readonly repeats: Repeats;
}

/** @param key the same on all replicas */
export function openRepeats(
  { cache }: Pick<Config, 'cache'>,
  key: Buffer,
  note: (event: string, facts?: Record<string, unknown>) => void,
): OpenRepeats {
  const names = new RepeatNames(key);
  if (cache.store === 'memory' || !cache.redis)
    return { repeats: new Repeats({ names }), [Symbol.dispose]: () => {} };
  using starting = new DisposableStack();
  const { budget, ...place } = cache.redis;
  const { redis } = starting.use(openRedis(place));
  const shared = starting.use(
    new RedisRecords({
      redis,
      budgetMs: budget,
      seal: new RecordSeal(key),
      onState: ({ state, reason }) => {
        log.warn('what replicas share of repeated writes changed its state', { state, reason });
        note(state === 'on' ? 'repeats.recovered' : 'repeats.degraded', { state, reason });
      },
    }),
  );
  const parts = starting.move();
  return { repeats: new Repeats({ names, shared }), [Symbol.dispose]: () => parts.dispose() };
}
