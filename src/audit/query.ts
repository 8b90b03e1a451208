/**
 * What an investigator asks of the trail. All criteria that are given must hold of one record; a criterion that a
 * record says nothing of does not hold.
 */
import type { Entry } from './entry.ts';

export interface Query {
  readonly caller?: string | undefined;
  readonly system?: string | undefined;
  readonly tenant?: string | undefined;
  readonly kind?: string | undefined;
  readonly effect?: string | undefined;
  readonly resourceType?: string | undefined;
  readonly result?: string | undefined;
  /** The kind in docs/errors.md. */
  readonly error?: string | undefined;
  /** A status such as `404`, or a class such as `4xx`. */
  readonly status?: string | undefined;
  readonly address?: string | undefined;
  /** The gateway's id of the call, the caller's or the tenant's. */
  readonly request?: string | undefined;
  /** The name of an event, or its beginning and `*`. */
  readonly event?: string | undefined;
  /** Any of them, anywhere in the record. */
  readonly pseudonyms?: readonly string[] | undefined;
}

type Criterion = (entry: Entry) => boolean;

/** @returns a function, so that what the query says is looked at once and not for every line */
export function matcherOf(query: Query): Criterion {
  const { status, event, request, pseudonyms } = query;
  const criteria: (Criterion | undefined)[] = [
    event === undefined ? undefined : eventIs(event),
    pseudonyms && containsAny(pseudonyms),
    is(query.caller, ['actor', 'name']),
    is(query.system, ['op', 'system'], ['upstream', 'system']),
    is(query.tenant, ['op', 'tenant'], ['upstream', 'tenant']),
    is(query.kind, ['op', 'kind']),
    is(query.effect, ['op', 'effect']),
    is(query.resourceType, ['op', 'resourceType']),
    is(query.result, ['outcome', 'result']),
    is(query.error, ['outcome', 'error']),
    is(query.address, ['src', 'ip'], ['facts', 'source']),
    is(request, ['req'], ['corr', 'callerId'], ['upstream', 'requestId']),
    status === undefined ? undefined : statusIs(status),
  ];
  const given = criteria.filter((criterion) => criterion !== undefined);
  return (entry) => given.every((holds) => holds(entry));
}

function is(wanted: string | undefined, ...paths: readonly (readonly string[])[]): Criterion | undefined {
  if (wanted === undefined) return undefined;
  // Most lines need not be parsed: a text stands in a line as it is written here.
  const quoted = JSON.stringify(wanted);
  return (entry) => entry.line.includes(quoted) && paths.some((path) => entry.text(...path) === wanted);
}

function eventIs(wanted: string): Criterion {
  if (!wanted.endsWith('*')) return ({ event }) => event === wanted;
  const beginning = wanted.slice(0, -1);
  return ({ event }) => event.startsWith(beginning);
}

/** The bytes are searched, so that a pseudonym is found wherever a record has one. */
function containsAny(pseudonyms: readonly string[]): Criterion {
  const quoted = pseudonyms.map((pseudonym) => JSON.stringify(pseudonym));
  return ({ line }) => quoted.some((text) => line.includes(text));
}

function statusIs(wanted: string): Criterion {
  const pattern = new RegExp(`^${wanted.replaceAll('x', '\\d')}$`);
  return (entry) =>
    [entry.number('outcome', 'http'), entry.number('upstream', 'status')].some(
      (status) => status !== undefined && pattern.test(String(status)),
    );
}

export function isStatus(text: string): boolean {
  return /^[1-5][\dx]{2}$/.test(text);
}
