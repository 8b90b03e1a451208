/**
 * Which header fields pass, in both directions. Both sets are built anew from allow-lists: what is not named
 * here does not exist on the other side, so hop-by-hop fields, cookies, forwarding claims and credentials
 * cannot leak whatever a caller or a tenant sends (RFC 9110 §7.6.1, facts: measured on the default stack).
 */
import type { Headers } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import { scimMediaType } from '../scim/message.ts';
import { readTrace, readTraceState, writeTrace } from '../scim/trace.ts';

const repeatable = new Set(['accept', 'cache-control', 'if-match', 'if-none-match', 'tracestate']);
const singular = new Set([
  'host',
  'authorization',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
  'expect',
  'pragma',
  'idempotency-key',
  'x-request-id',
  'x-correlation-id',
  'x-correlationid',
  'traceparent',
  'user-agent',
]);

/**
 * The header fields that the line may look at, from the raw list of names and values in turn.
 * A field that would mean two things is refused; whatever is not in the lists above is dropped.
 */
export function readHeaders(rawHeaders: readonly string[], maxFields: number): Headers {
  if (rawHeaders.length / 2 > maxFields)
    throw new ScimError('headers-too-large', 'The request has too many header fields.');
  const headers: Record<string, string> = {};
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = rawHeaders[at + 1] ?? '';
    const before = headers[name];
    if (singular.has(name)) {
      if (before !== undefined)
        throw new ScimError('bad-request', 'A header field that may appear once is given more than once.');
      headers[name] = value;
    } else if (repeatable.has(name)) {
      headers[name] = before === undefined ? value : `${before}, ${value}`;
    }
  }
  return headers;
}

export interface Upward {
  readonly authorization: string | undefined;
  readonly requestId: string;
  /** Of this physical call, where the caller's trace goes on. */
  readonly span?: string | undefined;
  readonly bodyBytes: number | undefined;
  readonly read: boolean;
  /** An IPS proxy system speaks one media type; other service providers get what the caller asked for. */
  readonly kind: 'ips' | 'scim' | 'opaque';
}

/** The one field of a caller that may change what a read brings, so the cache keeps replies apart by it. */
export function acceptUp({ accept }: Headers, kind: Upward['kind']): string {
  if (kind === 'ips') return scimMediaType;
  return accept ?? (kind === 'scim' ? scimAccept : '*/*');
}

const scimAccept = `${scimMediaType}, application/json;q=0.9`;

export function headersUp(
  from: Headers,
  { authorization, requestId, span, bodyBytes, read, kind }: Upward,
): Headers {
  const media = from['content-type'];
  const trace = span === undefined ? undefined : readTrace(from['traceparent']);
  const headers: Headers = {
    accept: acceptUp(from, kind),
    // Stored bytes are the bytes served, so nothing may be compressed on the way.
    'accept-encoding': 'identity',
    'user-agent': 'Gatehouse',
    'x-request-id': requestId,
    ...(trace &&
      span && { traceparent: writeTrace(trace, span), tracestate: readTraceState(from['tracestate']) }),
    authorization,
    ...(bodyBytes !== undefined && {
      'content-type': kind === 'ips' && bodyBytes > 0 ? scimMediaType : media,
      'content-length': String(bodyBytes),
    }),
    // A shared read must not come back as somebody's 304; the gateway compares ETags itself.
    ...(!read && { 'if-match': from['if-match'], 'if-none-match': from['if-none-match'] }),
  };
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
}

const down = ['content-type', 'etag', 'location', 'last-modified', 'retry-after', 'content-language'];

export function headersDown(from: Headers, opaque: boolean): Headers {
  const names = opaque ? [...down, 'content-disposition'] : down;
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]]])));
}
