/** What is known of repeated writes: replicas that share a Redis share it there, encrypted. */
import { RecordSeal } from '../writes/record-seal.ts';
import { RedisRecords } from '../writes/redis-records.ts';
import { RepeatNames } from '../writes/repeat-names.ts';
import { Repeats } from '../writes/repeats.ts';
import type { Sharing } from './sharing.ts';

/** @param key the same on all replicas */
export function openRepeats(sharing: Sharing, key: Buffer): Repeats {
  const shared = sharing.open(
    {
      what: 'what replicas share of repeated writes',
      on: 'repeats.recovered',
      off: 'repeats.degraded',
    },
    (connection) => new RedisRecords({ ...connection, seal: new RecordSeal(key) }),
  );
  return new Repeats({ names: new RepeatNames(key), shared });
}
