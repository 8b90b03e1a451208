/**
 * What of a call may stand in the trail: nothing that is not named here. Identifiers become keyed pseudonyms,
 * paths and filters their shape, and every string that somebody else chose is cut to a length.
 */
import { createHmac } from 'node:crypto';

import { derive, type PeriodKey } from './period.ts';

const nameLength = 256;
const textLength = 2048;

/** The names of paths that we know ourselves; every other segment may be an identifier. */
const knownSegments = new Set(
  'ips ipsproxy service api publicapi v1 v2 scim systems entities entity user group startJob jobs jobLogs READ RESYNC Users Groups Bulk Me .search Schemas ResourceTypes ServiceProviderConfig oauth token oauth2'.split(
    ' ',
  ),
);
const knownParameters = new Set(
  'filter count startIndex attributes excludedAttributes sortBy sortOrder cursor'.split(' '),
);
const maxSegments = 16;
const maxValues = 50;

export class Redactor {
  readonly period: PeriodKey;
  readonly #key: Buffer;

  constructor(period: PeriodKey) {
    this.period = period;
    this.#key = derive(period.secret, 'pseudonyms');
  }

  /** Type and text stay apart by a NUL, which neither an identifier nor a type contains. */
  pseudonym(type: 'id' | 'value' | 'name', text: string): string {
    const normal = type === 'id' ? text.normalize('NFC') : text.normalize('NFC').toLowerCase();
    return this.#mac(type, normal);
  }

  /** A body may contain a password, which a bare hash would let anybody guess. */
  body(bytes: Uint8Array): { readonly bytes: number; readonly hash: string } {
    return { bytes: bytes.length, hash: this.#mac('body', bytes) };
  }

  /** `userName eq "x" and active eq true` → `userName eq ? and active eq ?` and the pseudonyms of the values. */
  filter(filter: string): { readonly shape: string; readonly values: readonly string[] } {
    const { shape, values } = shapeOfFilter(filter.slice(0, textLength));
    return { shape, values: values.slice(0, maxValues).map((value) => this.pseudonym('value', value)) };
  }

  #mac(type: string, data: string | Uint8Array): string {
    const mac = createHmac('sha256', this.#key).update(`${type}\0`).update(data).digest();
    return `p${this.period.period}:${mac.subarray(0, 16).toString('base64url')}`;
  }
}

export interface TargetShape {
  readonly path: string;
  /** The names of the query parameters. */
  readonly query?: string;
}

/** `/ipsproxy/service/api/v1/scim/S1/Users/4711?count=1` → `/ipsproxy/service/api/v1/scim/?/Users/?` and `count`. */
export function shapeOfTarget(target: string): TargetShape {
  const [path = '', query] = target.slice(0, textLength).split('?', 2);
  const segments = path.split('/').slice(1, maxSegments + 1);
  const shaped = segments.map((segment) => (segment === '' || knownSegments.has(segment) ? segment : '?'));
  return { path: `/${shaped.join('/')}`, ...(query && { query: shapeOfQuery(query) }) };
}

function shapeOfQuery(query: string): string {
  const names = query.split('&').map((pair) => pair.split('=', 1)[0] ?? '');
  const known = new Set(names.map((name) => (knownParameters.has(name) ? name : '?')));
  return [...known].toSorted().join('&');
}

const token = /\s+|[()[\]]|"(?:[^"\\]|\\.)*"|[^\s()[\]"]+|"/gy;
const words = new Set(['and', 'or', 'not', 'pr']);
const operators = new Set(['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le']);
const attribute = /^[A-Za-z][\w.:$-]{0,127}$/;

/** What stands behind an operator is a value, quoted or not; an attribute is only what stands before one. */
function shapeOfFilter(filter: string): { shape: string; values: string[] } {
  const tokens = (filter.match(token) ?? []).filter((text) => text.trim() !== '');
  const values: string[] = [];
  const shape = tokens.map((text, at) => {
    const next = tokens[at + 1]?.toLowerCase() ?? '';
    const before = tokens[at - 1]?.toLowerCase() ?? '';
    const lower = text.toLowerCase();
    if ('()[]'.includes(text)) return text;
    if (!operators.has(before)) {
      if (words.has(lower) || operators.has(lower)) return lower;
      if (attribute.test(text) && (operators.has(next) || next === 'pr' || next === '[')) return text;
    }
    values.push(text.startsWith('"') ? unquote(text) : text);
    return '?';
  });
  return { shape: shape.join(' '), values };
}

function unquote(text: string): string {
  return text.replaceAll(/^"|"$/g, '').replaceAll(/\\(.)/g, '$1');
}

/** A name that somebody else chose. JSON escapes its control characters. */
export function capName(text: string): string {
  return cap(text, nameLength);
}

function cap(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…[${text.length}]`;
}

const secretName =
  /pass(?:word|wd|phrase)?|secret|pin$|token|credential|private.?key|otp|answer|authorization|cookie/i;
const maxDepth = 6;
const maxEntries = 200;

/** Facts of the gateway's own making, as plain JSON of bounded size; the names of secrets are the second line. */
export function plain(value: unknown, depth = 0): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'string') return cap(value, textLength);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Error) return { name: value.name };
  if (typeof value !== 'object' || depth === maxDepth) return `[${typeof value}]`;
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((entry) => plain(entry, depth + 1));
  const entries = Object.entries(value).slice(0, maxEntries);
  return Object.fromEntries(
    entries
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [
        capName(name),
        secretName.test(name) && typeof member !== 'boolean' ? '[redacted]' : plain(member, depth + 1),
      ]),
  );
}
