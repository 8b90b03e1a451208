/**
 * How snapshots meet the line: lists without filter are answered from them, and they are built from the systems of the
 * configuration in force. A caller's `no-cache` does not lead past a snapshot: half of a load by the tenant's indices would
 * miss people.
 */
import type { Trail } from '../audit/trail.ts';
import type { Cache, CacheAsk } from '../cache/cache.ts';
import { blockAt, isPlainList, singleOf } from '../pages/wanted.ts';
import type { Reply } from '../scim/call.ts';
import { priorities, type Operation } from '../scim/operation.ts';
import { encodeSegment, noQuery, Query } from '../scim/target.ts';
import type { Wanted } from '../snapshot/shown.ts';
import type { Collection, Kept, Snapshots } from '../snapshot/snapshots.ts';
import { readThrough, type ReadParts } from './page-reads.ts';
import type { Asked, System } from './place.ts';
import { spareTurns } from './spare.ts';

export interface SnapshotParts {
  readonly snapshots: Snapshots;
}

export interface SnapshotAnswer {
  readonly reply: Reply;
  readonly result: 'snapshot';
  readonly ageMs: number;
  readonly ttlMs: number;
}

/** Undefined when the tenant must be asked, as if there were no snapshot. */
export async function readSnapshot(
  parts: ReadParts & SnapshotParts,
  system: System,
  cacheAsk: CacheAsk,
  asked: Asked,
): Promise<SnapshotAnswer | undefined> {
  const { snapshot } = system;
  const { operation } = asked;
  if (!snapshot.enabled || !isPlainList(operation)) return undefined;
  const wanted = wantedOf(operation, snapshot.defaultCount);
  const shown = await parts.snapshots.show(collectionOf(system, operation.resourceType), wanted, (id) =>
    readThrough(
      parts,
      system,
      { ...cacheAsk, mayServe: false },
      { ...asked, operation: singleOf(operation, id) },
    ).then(({ reply }) => reply),
  );
  return shown && { ...shown, result: 'snapshot', ttlMs: snapshot.maxAgeMs - shown.ageMs };
}

/** RFC 7644 §3.4.2.4: an index below 1 means 1, a negative count means 0. */
function wantedOf({ query }: Operation, defaultCount: number): Wanted {
  return {
    startIndex: Math.max(1, Number(query.get('startIndex') ?? 1)),
    count: Math.max(0, Number(query.get('count') ?? defaultCount)),
  };
}

/** A cache that tells the snapshots of every write that it is told of. */
export function tellingSnapshots(cache: Cache, snapshots: Snapshots): Cache {
  return {
    read: (...read) => cache.read(...read),
    recall: (...read) => cache.recall(...read),
    watch: (operation) => cache.watch(operation),
    holds: (watch) => cache.holds(watch),
    keep: (...kept) => cache.keep(...kept),
    async forget(operation) {
      await Promise.all([cache.forget(operation), snapshots.changed(operation)]);
    },
    async forgetWatched(operation, watch) {
      const [after] = await Promise.all([
        cache.forgetWatched(operation, watch),
        snapshots.changed(operation),
      ]);
      return after;
    },
    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  };
}

/** What snapshots are kept of, and where there are none. */
export function snapshotsOf(
  systems: Iterable<System>,
  trail: Trail,
): { readonly kept: Kept[]; readonly others: Collection[] } {
  const kept: Kept[] = [];
  const others: Collection[] = [];
  for (const system of systems)
    for (const resourceType of system.resourceTypes) {
      const collection = collectionOf(system, resourceType);
      if (system.snapshot.enabled) kept.push(keptOf(system, collection, trail));
      else if (system.kind === 'ips') others.push(collection);
    }
  return { kept, others };
}

function keptOf(system: System, collection: Collection, trail: Trail): Kept {
  const { route, snapshot } = system;
  const askSpare = spareTurns({ route, trail, restMs: snapshot.restMs });
  const list = listOf(system, collection.resourceType);
  return {
    ...collection,
    ...snapshot,
    maxReplyBytes: route.maxReplyBytes,
    source: {
      page: (startIndex, count) => askSpare(blockAt(list, startIndex, count)),
      single: (id) => askSpare(singleOf(list, id)),
      changed: (since, ...page) => askSpare(changedAt(list, since, ...page)),
    },
  };
}

function changedAt(list: Operation, since: string, startIndex: number, count: number): Operation {
  const values = {
    filter: `meta.lastModified gt "${since}"`,
    startIndex: `${startIndex}`,
    count: `${count}`,
  };
  const parameters = Object.entries(values).map(([name, value]) => ({
    name,
    value,
    encoded: `${name}=${encodeURIComponent(value)}`,
  }));
  return { ...list, query: new Query(parameters) };
}

function collectionOf({ id, tenant, location }: System, resourceType: string): Collection {
  return { system: id, tenant, origin: location.base.href, resourceType };
}

function listOf({ id, tenant }: System, resourceType: string): Operation {
  return {
    api: 'proxy',
    kind: 'list',
    effect: 'read',
    tenant,
    system: id,
    resourceType,
    query: noQuery,
    path: `/${encodeSegment(resourceType)}`,
    touches: [],
    priority: priorities.list,
    parts: [],
  };
}
