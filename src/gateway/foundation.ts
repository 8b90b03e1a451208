/** Opens what lives as long as the process, and outlives every line that is built on it. */
import type { Trail } from '../audit/trail.ts';
import { openSecretBook, type SecretBook } from '../auth/secret-book.ts';
import { describeError, log } from '../log.ts';
import { CallerLimits } from '../pace/caller-limits.ts';
import { callerLimitsOf } from './callers.ts';
import type { Config } from './config.ts';
import { Doubts } from './doubts.ts';
import { deriveKey } from './key-file.ts';
import type { Foundation } from './line.ts';
import type { Note } from './own-trail.ts';
import { tellReload } from './secret-reloads.ts';
import { openCache } from './shared-cache.ts';
import { openGuard } from './shared-guard.ts';
import { openHabits } from './shared-habits.ts';
import { openPages } from './shared-pages.ts';
import { openPacers } from './shared-quota.ts';
import { openRepeats } from './shared-repeats.ts';
import { openSnapshots } from './shared-snapshots.ts';
import { openThrottle } from './shared-throttle.ts';
import { openUpdates } from './shared-updates.ts';
import { openSharing } from './sharing.ts';
import { tellingSnapshots } from './snapshot-reads.ts';

export interface OpenFoundation extends AsyncDisposable {
  readonly foundation: Omit<Foundation, 'ending' | 'ports'>;
  readonly isCacheUsed: () => boolean;
  /** Keeps to what the configuration says from now on. */
  keepTo(config: Config): void;
}

interface FoundationParts {
  /** The installation's, from which all others are derived; the same on all replicas. */
  readonly key: Buffer;
  readonly trail: Trail;
  readonly note: Note;
  /** For how long nothing went up before the start. */
  readonly quietMs: number;
}

export async function openFoundation(config: Config, parts: FoundationParts): Promise<OpenFoundation> {
  await using opening = new AsyncDisposableStack();
  const { key, trail, note, quietMs } = parts;
  const secrets = opening.use(await openSecrets(config, note));
  let isCacheUsed = true;
  const onCache = (isUsed: boolean): void => void (isCacheUsed = isUsed);
  const sharing = opening.use(await openSharing(config, deriveKey(key, 'kinship'), note));
  const openedCache = opening.use(openCache(config, sharing, deriveKey(key, 'cache'), note, onCache));
  const openedSnapshots = openSnapshots(config, sharing, deriveKey(key, 'snapshots'), note);
  const snapshots = opening.use(openedSnapshots.snapshots);
  const cache = tellingSnapshots(openedCache.cache, snapshots);
  const openedUpdates = openUpdates(config, sharing, deriveKey(key, 'updates'));
  const foundation = {
    trail,
    secrets,
    cache,
    snapshots,
    pages: openPages(config, sharing, deriveKey(key, 'loads'), note),
    doubts: opening.use(new Doubts(cache)),
    throttle: openThrottle(sharing, deriveKey(key, 'throttle'), note),
    tokenKey: deriveKey(key, 'token'),
    updates: openedUpdates.updates,
    repeats: openRepeats(sharing, deriveKey(key, 'repeats')),
    guarding: await openGuard(config, sharing, deriveKey(key, 'guard'), trail),
    pacers: opening.use(openPacers(config, sharing, quietMs)),
    callerLimits: opening.use(new CallerLimits(callerLimitsOf(config))),
    habits: openHabits(sharing, deriveKey(key, 'profiles')),
  };
  const opened = opening.move();
  return {
    foundation,
    isCacheUsed: () => isCacheUsed,
    keepTo(next) {
      for (const each of [foundation.pacers, openedCache, openedSnapshots, openedUpdates]) each.keepTo(next);
      foundation.callerLimits.adjust(callerLimitsOf(next));
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

function openSecrets({ secretsFile }: Config, note: Note): Promise<SecretBook> {
  return openSecretBook(secretsFile, {
    onReloaded: tellReload('secretsFile', note),
    onBroken: (cause) =>
      void log.warn('the file of secrets is broken; the last good one stays in force', describeError(cause)),
  });
}
