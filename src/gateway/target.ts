/**
 * Parses the raw request target once, strictly, before anything looks at it. What is not clean is refused,
 * never repaired: a repaired path is one that the gateway and the tenant could read differently.
 */
import { ScimError } from '../scim/error.ts';
import { encodeSegment, Query, type Parameter, type Target } from '../scim/target.ts';

// RFC 3986 pchar without `;`, whose parameters servers interpret (facts: `..;/`).
const segmentPattern = /^(?:[A-Za-z0-9\-._~!$&'()*+,=:@]|%[0-9A-Fa-f]{2})*$/;
// Brackets, braces, quotes and their escapes arrive raw from callers that follow the WHATWG URL rules.
const queryPattern = /^(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?"[\]{}|^`\\]|%[0-9A-Fa-f]{2})*$/;
// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const controlCharacters = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * Slashes that callers double when they join a destination's URL with a path that has its own slash
 * (facts: `//ipsproxy`, `scim//<system>`, `<system>//Users`). No others are accepted.
 */
const doubledSlashes = /^\/{1,2}ipsproxy\/((?:service\/)?api\/v1\/scim)\/{1,2}([^/]+)(?:\/{1,2}|$)/;

/** @param isOurs tells whether an authority (host or host:port) is one of the gateway's own */
export function parseTarget(raw: string, maxLength: number, isOurs: (authority: string) => boolean): Target {
  // RFC 7644 §3.12 has a word of its own for what is nearly always the reason.
  if (raw.length > maxLength)
    throw /[?&]filter=/i.test(raw)
      ? new ScimError('invalid-filter', 'The filter makes the request target too long.')
      : new ScimError('target-too-long', 'The request target is too long.');
  const relative = raw.startsWith('/') ? raw : withoutAuthority(raw, isOurs);
  const at = relative.indexOf('?');
  const path = at < 0 ? relative : relative.slice(0, at);
  return {
    segments: parsePath(path),
    query: at < 0 ? new Query([]) : parseQuery(relative.slice(at + 1)),
  };
}

/** The absolute form (RFC 9112 §3.2.2) is served when it names us; its authority means nothing beyond that. */
function withoutAuthority(raw: string, isOurs: (authority: string) => boolean): string {
  const [, authority = '', rest = ''] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(raw) ?? [];
  if (authority && !isOurs(authority)) throw misdirected();
  if (!authority || !rest.startsWith('/')) throw unclean();
  return rest;
}

function parsePath(path: string): string[] {
  const single = path.replace(doubledSlashes, '/ipsproxy/$1/$2/');
  const raw = single.slice(1).split('/');
  if (raw.at(-1) === '') raw.pop();
  return raw.map(parseSegment);
}

function parseSegment(raw: string): string {
  if (raw === '' || !segmentPattern.test(raw)) throw unclean();
  const segment = decode(raw);
  if (segment === '.' || segment === '..' || /[/\\;]/.test(segment)) throw unclean();
  // A second layer of encoding would be read by whoever decodes twice.
  if (/%[0-9A-Fa-f]{2}/.test(segment)) throw unclean();
  return segment;
}

function parseQuery(raw: string): Query {
  if (!queryPattern.test(raw)) throw unclean();
  return new Query(raw.split('&').filter(Boolean).map(parseParameter));
}

function parseParameter(raw: string): Parameter {
  const at = raw.indexOf('=');
  const [rawName, rawValue] = at < 0 ? [raw, ''] : [raw.slice(0, at), raw.slice(at + 1)];
  const encoded = `${encodeQueryText(rawName)}=${encodeQueryText(rawValue)}`;
  return { name: decode(plus(rawName)), value: decode(plus(rawValue)), encoded };
}

/** Servers read `+` as a space, `%2B` as a plus; the encoded form must keep them apart. */
const plus = (raw: string): string => raw.replaceAll('+', ' ');

function encodeQueryText(raw: string): string {
  return raw
    .split('+')
    .map((part) => encodeSegment(decode(part)).replaceAll(/[&+=]/g, encodeURIComponent))
    .join('+');
}

function decode(raw: string): string {
  let text: string;
  try {
    text = decodeURIComponent(raw);
  } catch (cause) {
    throw unclean(cause);
  }
  if (controlCharacters.test(text)) throw unclean();
  return text;
}

const unclean = (cause?: unknown): ScimError =>
  new ScimError('invalid-syntax', 'The request target is not a clean path and query.', { cause });

const misdirected = (): ScimError =>
  new ScimError('misdirected', 'The request names a host that this gateway does not serve.');
