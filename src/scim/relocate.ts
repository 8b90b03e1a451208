/**
 * Makes a reply name the gateway where it names the tenant: `meta.location`, `$ref`, the Location header.
 * Invariant: only those string literals are exchanged; every other byte stays, so that numbers beyond 2^53, the
 * order of members and white space reach the caller as the tenant wrote them.
 */
import type { Reply } from './call.ts';
import { ScimError } from './error.ts';
import { visitStrings } from './json.ts';
import { encodeSegment } from './target.ts';

/** Where a system lives upstream. */
export interface Location {
  /** The base of the system's resources, such as https://t.accounts.ondemand.com/ipsproxy/service/api/v1/scim/<id> */
  readonly base: URL;
  /** The system's id at the tenant. */
  readonly systemId: string;
  readonly resourceTypes: readonly string[];
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** @param to the base of the system as callers know it */
export function relocate(reply: Reply, from: Location, to: URL): Reply {
  const exchange = createExchange(from, to);
  const body = relocateBody(reply.body, exchange);
  const headers = relocateHeader(reply.headers, exchange);
  if (body === reply.body && headers === reply.headers) return reply;
  const length = headers['content-length'] === undefined ? {} : { 'content-length': String(body.length) };
  return { ...reply, headers: { ...headers, ...length }, body };
}

function relocateBody(body: Buffer, exchange: Exchange): Buffer {
  const edits: Edit[] = [];
  try {
    visitStrings(body, (name, owner, depth, start, end) => {
      const endpoint = isEndpoint(name, owner, depth);
      if (!endpoint && !isLink(name, owner, depth)) return;
      const value = readLiteral(body, start, end);
      if (endpoint && !/^https?:/i.test(value)) return;
      const moved = exchange(value);
      if (moved !== undefined && moved !== value) edits.push({ start, end, text: JSON.stringify(moved) });
    });
  } catch (error) {
    if (error instanceof ScimError) return body; // not JSON, so there is no link in it that we could know
    throw error;
  }
  return edits.length === 0 ? body : apply(body, edits);
}

function isLink(name: string, owner: string, depth: number): boolean {
  if (name === '$ref') return true;
  // An item of a bulk response's Operations stands in the third container: body, list, item (RFC 7644 §3.7.3).
  return name === 'location' && (owner === 'meta' || (owner === 'operations' && depth === 3));
}

/** `/Users` stays: the endpoint of a resource type is relative to the base; some write the whole address (RFC 7643 §6). */
function isEndpoint(name: string, owner: string, depth: number): boolean {
  return name === 'endpoint' && (depth === 1 || (owner === 'resources' && depth === 3));
}

function readLiteral(body: Buffer, start: number, end: number): string {
  const content = body.toString('utf8', start + 1, end - 1);
  return content.includes('\\') ? String(JSON.parse(`"${content}"`)) : content;
}

function apply(body: Buffer, edits: readonly Edit[]): Buffer {
  const growth = edits.reduce(
    (sum, { start, end, text }) => sum + Buffer.byteLength(text) - (end - start),
    0,
  );
  const moved = Buffer.allocUnsafe(body.length + growth);
  let read = 0;
  let written = 0;
  for (const { start, end, text } of edits) {
    written += body.copy(moved, written, read, start);
    written += moved.write(text, written);
    read = end;
  }
  body.copy(moved, written, read);
  return moved;
}

function relocateHeader(headers: Reply['headers'], exchange: Exchange): Reply['headers'] {
  const { location, ...others } = headers;
  if (location === undefined) return headers;
  const moved = exchange(location);
  if (moved === location || (moved === undefined && relative.test(location))) return headers;
  // An address that is neither the system's nor relative would tell a caller about hosts behind us (facts: row 93).
  return moved === undefined ? others : { ...others, location: moved };
}

/** `Users/1`, `../Users/1` and URNs: they name no host and stay true wherever the reply is read. */
const relative = /^(?:urn:|(?![a-z][a-z\d+.-]*:)[^/\\\s])[^\\\s]*$/i;

/** A link → the same link below the gateway; undefined when it is none that we know. */
type Exchange = (link: string) => string | undefined;

function createExchange(from: Location, to: URL): Exchange {
  const base = withoutSlash(from.base.href);
  const ours = withoutSlash(to.href);
  const known = knownPath(from.resourceTypes);
  return (link) => {
    if (link.startsWith(base)) {
      // The common case, without parsing: 20,000 members are 20,000 links.
      const path = link.slice(base.length);
      if (plainPath.test(path)) return ours + path;
      // What follows stays as it was written: a caller who joins base and id must get the same text.
      if (/^(?:[/?#]|$)/.test(path) && !leadsAway.test(path)) return ours + path;
    }
    const url = absoluteLink.test(link) ? URL.parse(link, from.base) : null;
    if (!url) return undefined;
    const path = below(url, from.base) ?? below(url, to) ?? pathElsewhere(url.pathname, from.systemId, known);
    return path === undefined ? undefined : `${ours}${path}${url.search}${url.hash}`;
  };
}

const plainPath = /^\/[\w~-]+\/[\w~-]+$/;
/** Dot segments, and what the URL Standard reads as a slash or drops. */
const leadsAway = /[\\\s]|\/(?:\.|%2e){1,2}(?:[/?#]|$)/i;
const absoluteLink = /^(?:https?:\/\/|\/)[^\s\\]*$/i;
/** The proxy API of both infrastructures, whichever host name or custom domain stands before it (facts: IPS 1.1, 1.2). */
const proxyPath = /^\/ipsproxy\/(?:service\/)?(?:cert)?api\/v1\/scim\/([^/]+)(\/.*)?$/;

/** What follows the base, encoded as it was; undefined when the link is not below it. */
function below(url: URL, base: URL): string | undefined {
  const path = withoutSlash(base.pathname);
  const isBelow = url.origin === base.origin && `${url.pathname}/`.startsWith(`${path}/`);
  return isBelow ? url.pathname.slice(path.length) : undefined;
}

function pathElsewhere(path: string, systemId: string, known: RegExp): string | undefined {
  const [proxied, id, rest = ''] = proxyPath.exec(path) ?? [];
  if (proxied === undefined) return known.exec(path)?.[0];
  // Another system's resource is not ours, even when one of ours has the same id.
  return id === encodeSegment(systemId) ? rest : undefined;
}

/**
 * The end of a path on some host behind the tenant: a resource of a known type, or a discovery document. There are
 * service providers that write their own endpoints in lower case.
 */
function knownPath(resourceTypes: readonly string[]): RegExp {
  const types = resourceTypes.map((type) => RegExp.escape(encodeSegment(type))).join('|');
  return new RegExp(
    `/(?:(?:${types})/[^/]+|(?:Schemas|ResourceTypes)(?:/[^/]+)?|ServiceProviderConfig)$`,
    'i',
  );
}

function withoutSlash(text: string): string {
  return text.replace(/\/$/, '');
}
