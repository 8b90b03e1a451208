/** What callers ask and learn about the age of an answer (RFC 9111, RFC 9110 §13, RFC 9211). */
import type { CacheAnswer } from '../cache/cache.ts';
import type { Headers, Reply } from '../scim/call.ts';

/** What a caller says about the cache (RFC 9111 §5.2.1, §5.4). */
export interface CacheWish {
  /** The tenant's own word is wanted. */
  readonly fresh: boolean;
  /** How old an answer may be; 0 when nothing may be stored. */
  readonly maxAgeMs: number;
}

export function cacheWish(headers: Headers): CacheWish {
  const text = `${headers['cache-control'] ?? ''},${headers['pragma'] ?? ''}`.toLowerCase();
  const directives = text.split(',').map((directive) => directive.trim());
  const maxAge = directives.map((directive) => /^max-age="?(\d{1,9})"?$/.exec(directive)?.[1]).find(Boolean);
  const seconds = maxAge === undefined ? Infinity : Number(maxAge);
  return {
    fresh: directives.includes('no-cache') || seconds === 0,
    maxAgeMs: directives.includes('no-store') ? 0 : seconds === 0 ? Infinity : seconds * 1000,
  };
}

export function cacheFields({ result, ageMs, ttlMs }: Omit<CacheAnswer, 'reply'>): Headers {
  switch (result) {
    case 'hit':
      return { age: seconds(ageMs), 'cache-status': `Gatehouse; hit; ttl=${seconds(ttlMs)}` };
    case 'collapsed':
      return { 'cache-status': 'Gatehouse; fwd=miss; collapsed' };
    case 'miss':
      return { 'cache-status': `Gatehouse; fwd=miss${ttlMs > 0 ? '; stored' : ''}` };
    case 'bypass':
      return { 'cache-status': 'Gatehouse; fwd=bypass' };
  }
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
