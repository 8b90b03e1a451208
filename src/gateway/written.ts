/**
 * What a write makes of the cache: it forgets what became stale, and may keep what the tenant brought back. The probe that
 * this rests on takes a turn only where it is to be had at once, and has records of its own.
 */
import type { Trail } from '../audit/trail.ts';
import type { Cache } from '../cache/cache.ts';
import type { Watch } from '../cache/watch.ts';
import type { Pages } from '../pages/pages.ts';
import type { Written } from '../pages/write-replies.ts';
import type { Reply } from '../scim/call.ts';
import type { Operation } from '../scim/operation.ts';
import { ask } from './ask.ts';
import { isIdle, ownEntry, sparePatience } from './own-calls.ts';
import type { Asked, System } from './place.ts';
import { cacheAskOf } from './read.ts';

export interface WrittenParts {
  readonly cache: Cache;
  readonly pages: Pages;
  readonly trail: Trail;
}

/** To be called before the write goes up; it waits no longer than the store's budget. */
export function beginWrite(parts: WrittenParts, system: System, asked: Asked): Promise<Written> {
  const { cache, pages } = parts;
  const { cache: settings, route } = system;
  const cacheAsk = cacheAskOf(system, asked);
  return pages.writes.begin<Watch>({
    operation: asked.operation,
    scope: cacheAsk.scope,
    origin: cacheAsk.origin,
    isOn: settings.writeReplies && settings.rules.lifetimeMs > 0,
    underWayMs: route.deadlines.writeMs,
    memory: {
      watch: (operation) => cache.watch(operation),
      forget: (operation) => cache.forget(operation),
      forgetWatched: (operation, watch) => cache.forgetWatched(operation, watch),
      holds: (watch) => cache.holds(watch),
      keep: (further, watch, askedAt) => cache.keep(further, watch, askedAt, cacheAsk),
    },
    probe: () =>
      isIdle(route.pacer.state) ? (operation) => probe(parts.trail, system, asked, operation) : undefined,
  });
}

/** Nothing of the write's own call goes with it but what decides which view of the resource comes back. */
function probe(trail: Trail, { route }: System, { call }: Asked, operation: Operation): Promise<Reply> {
  const headers = { accept: call.headers['accept'] };
  return ask(route, {
    call: { ...call, method: 'GET', headers },
    caller: 'gateway',
    operation,
    body: undefined,
    entry: ownEntry(trail, 'probe'),
    patience: sparePatience(),
    onSent: () => undefined,
  });
}
