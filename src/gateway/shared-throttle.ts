/** The throttle of failed log-ons: replicas that share a Redis share there also who has failed. */
import { RedisLedger } from '../auth/redis-ledger.ts';
import { Throttle } from '../auth/throttle.ts';
import type { Note } from './own-trail.ts';
import type { Sharing } from './sharing.ts';

/** @param key the same on all replicas */
export function openThrottle(sharing: Sharing, key: Buffer, note: Note): Throttle {
  const ledger = sharing.open(
    {
      what: 'what replicas share of failed log-ons',
      on: 'throttle.recovered',
      off: 'throttle.degraded',
    },
    (connection) => new RedisLedger(connection),
  );
  return new Throttle({ report: note, key, ...(ledger && { ledger }) });
}
