/** What callers with quirks have shown of themselves: replicas that share a Redis tell each other there. */
import { RedisNotes } from '../profile/redis-notes.ts';
import { CallerHabits } from './profiles.ts';
import type { Sharing } from './sharing.ts';

/** @param key the same on all replicas */
export function openHabits(sharing: Sharing, key: Buffer): CallerHabits {
  const notes = sharing.open(
    {
      what: 'what replicas share of callers with quirks',
      on: 'profiles.recovered',
      off: 'profiles.degraded',
    },
    (connection) => new RedisNotes({ ...connection, key }),
  );
  return new CallerHabits(notes);
}
