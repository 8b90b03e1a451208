/** What callers ask and learn about the age of an answer (RFC 9111, RFC 9110 §13, RFC 9211). */
import type { CacheAnswer } from '../cache/cache.ts';
import type { Headers, Reply } from '../scim/call.ts';

/** Whether the caller wants the tenant's own word (RFC 9111 §5.2.1.4, §5.4). */
export function isFreshWanted(headers: Headers): boolean {
  const wish = `${headers['cache-control'] ?? ''},${headers['pragma'] ?? ''}`;
  return wish.split(',').some((directive) => /^(?:no-cache|no-store|max-age=0)$/i.test(directive.trim()));
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
