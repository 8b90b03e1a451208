/** What callers ask and learn about the age of an answer (RFC 9111, RFC 9110 §13, RFC 9211). */
import type { CacheAnswer } from '../cache/cache.ts';
import type { Headers, Reply } from '../scim/call.ts';
import type { SnapshotAnswer } from './snapshot-reads.ts';

/** What a caller says about the cache (RFC 9111 §5.2.1, §5.4); how far it is obeyed is the cache's to say. */
export interface CacheWish {
  /** How old an answer may be; 0: the tenant's own word is wanted. */
  readonly maxAgeMs: number;
  /** Whether the answer may be remembered. It may be given from what is remembered all the same (§5.2.1.5). */
  readonly mayKeep: boolean;
}

export function cacheWish(headers: Headers): CacheWish {
  const text = `${headers['cache-control'] ?? ''},${headers['pragma'] ?? ''}`.toLowerCase();
  const directives = text.split(',').map((directive) => directive.trim());
  const maxAge = directives.map((directive) => /^max-age="?(\d{1,9})"?$/.exec(directive)?.[1]).find(Boolean);
  const maxAgeMs = maxAge === undefined ? Infinity : Number(maxAge) * 1000;
  return {
    maxAgeMs: directives.includes('no-cache') ? 0 : maxAgeMs,
    mayKeep: !directives.includes('no-store'),
  };
}

/** RFC 9211. An answer past its lifetime shows by its negative `ttl`, and `detail` says why it was told. */
export function cacheFields(answer: Omit<CacheAnswer, 'reply'> | Omit<SnapshotAnswer, 'reply'>): Headers {
  const { result, ageMs, ttlMs } = answer;
  const reason = 'reason' in answer ? answer.reason : undefined;
  const ttl = `ttl=${seconds(ttlMs)}`;
  const detail = reason ? `; detail=${reason}` : '';
  switch (result) {
    case 'hit':
      return { age: seconds(ageMs), 'cache-status': `Gatehouse; hit; ${ttl}${detail}` };
    case 'snapshot':
      return { age: seconds(ageMs), 'cache-status': `Gatehouse; hit; ${ttl}; detail=snapshot` };
    case 'stale':
      return {
        age: seconds(ageMs),
        'cache-status': `Gatehouse; ${reason === 'tenant-error' ? 'fwd=stale' : 'hit'}; ${ttl}${detail}`,
      };
    case 'collapsed':
      return { 'cache-status': 'Gatehouse; fwd=miss; collapsed' };
    case 'miss':
      return { 'cache-status': `Gatehouse; fwd=${forwardedFor(reason)}${ttlMs > 0 ? '; stored' : ''}` };
    case 'bypass':
      return { 'cache-status': 'Gatehouse; fwd=bypass' };
  }
}

function forwardedFor(reason: CacheAnswer['reason']): string {
  if (reason === 'expired') return 'stale';
  return reason === 'asked-anew' ? 'request' : 'miss';
}

const seconds = (ms: number): string => String(Math.floor(ms / 1000));

/** RFC 9110 §13.1.2: weak comparison. Shared reads go up without a condition, so the gateway answers it. */
export function notModified(reply: Reply, condition: string | undefined): Reply {
  const { etag } = reply.headers;
  if (reply.status !== 200 || etag === undefined || condition === undefined) return reply;
  const tags = (condition.match(entityTags) ?? []).map(opaque);
  if (condition.trim() !== '*' && !tags.includes(opaque(etag))) return reply;
  const { 'content-type': _, ...headers } = reply.headers;
  return { status: 304, headers, body: Buffer.alloc(0) };
}

/** A tag may contain commas between its quotes; there are servers that forget the quotes. */
const entityTags = /(?:W\/)?"[^"]*"|[^\s,]+/g;

const opaque = (tag: string): string => tag.replace(/^W\//, '');
