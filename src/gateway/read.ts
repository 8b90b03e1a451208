/**
 * The line's end for a read: pages and cache decide whether the tenant is asked. A caller that could write back what it
 * reads gets the tenant's own word.
 */
import { withoutDenied } from '../auth/attributes.ts';
import { mayWrite, type Caller } from '../auth/caller.ts';
import type { CacheAnswer, CacheAsk } from '../cache/cache.ts';
import type { Reply } from '../scim/call.ts';
import { unlessLeft } from '../scim/left.ts';
import type { Operation } from '../scim/operation.ts';
import { cacheFields, cacheWish, notModified } from './freshness.ts';
import { guardLoad } from './guarded-loads.ts';
import { learnSize, type GuardParts } from './guarded.ts';
import { acceptUp } from './headers.ts';
import { readThrough, type ReadParts } from './page-reads.ts';
import { deliver, type Asked, type System } from './place.ts';
import { readSnapshot, type SnapshotAnswer, type SnapshotParts } from './snapshot-reads.ts';

export async function read(
  parts: ReadParts & SnapshotParts & GuardParts,
  system: System,
  caller: Caller,
  asked: Asked,
): Promise<Reply> {
  const { call, operation, entry } = asked;
  const cacheAsk = { ...cacheAskOf(system, asked), mayServe: !mayRewrite(caller, operation) };
  const shown = await unlessLeft(readSnapshot(parts, system, cacheAsk, asked), call.left);
  const answer = shown ?? (await unlessLeft(readFor(parts, system, cacheAsk, asked), call.left));
  entry.add({ cache: answer.result, ageMs: answer.ageMs });
  await guardRead(parts, system, asked, answer);
  // RFC 9110 §13.1.2: only a GET is answered with 304; a search by POST is not.
  const condition = call.method === 'GET' ? call.headers['if-none-match'] : undefined;
  const told = withoutDenied(caller, operation, deliver(system, answer.reply));
  const reply = notModified(told, condition);
  return { ...reply, headers: { ...reply.headers, ...cacheFields(answer) } };
}

/** A load that ends too early is not told to its caller, and a group that passes is known by its size. */
async function guardRead(
  parts: GuardParts,
  system: System,
  asked: Asked,
  answer: CacheAnswer | SnapshotAnswer,
): Promise<void> {
  const isHit = answer.result === 'hit' || answer.result === 'snapshot';
  if (!isHit) await learnSize(parts, system, asked.operation, answer.reply);
  await guardLoad(parts, system, asked, answer.reply, isHit);
}

/** Under which of a system's entries a call's answer is remembered, and what its caller wants of them. */
export function cacheAskOf({ cache, kind, location }: System, { call, caller }: Asked): CacheAsk {
  return {
    accept: acceptUp(call.headers, kind),
    origin: location.base.href,
    scope: cache.perCaller ? caller : '',
    caller,
    rules: cache.rules,
    mayServe: true,
    ...cacheWish(call.headers),
  };
}

/** What may be written back is remembered as its caller's copy (docs/decisions/0019-lost-updates.md). */
function readFor(parts: ReadParts, system: System, cacheAsk: CacheAsk, asked: Asked): Promise<CacheAnswer> {
  const read = (): Promise<CacheAnswer> => readThrough(parts, system, cacheAsk, asked);
  return cacheAsk.mayServe || system.lostUpdates === 'off' ? read() : parts.updates.read(asked, read);
}

/**
 * SAP IDM reads a group, changes its members and puts it back, so a stale copy would remove people
 * (facts: SAP IDM's calls). Such a reader gets the tenant's own word.
 */
function mayRewrite(caller: Caller, { kind, system, resourceType, query }: Operation): boolean {
  const single = kind === 'get' || (kind === 'list' && query.has('filter'));
  return single && resourceType === 'Groups' && mayWrite(caller, system, resourceType);
}
