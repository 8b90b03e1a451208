/**
 * Where somebody is in the console, as an address that can be kept and sent: the page and, on the audit page, what is asked.
 * Invariant: `viewOf(addressOf(view))` is the view again; what an address does not understand is left out.
 */
import type { Outcomes } from '../api/overview.ts';
import type { AuditQuery } from '../api/trail.ts';

export const pages = ['overview', 'audit', 'parties', 'security'] as const;
export type PageName = (typeof pages)[number];

export interface View {
  readonly page?: PageName;
  readonly query: AuditQuery;
  /** The record that is looked at. */
  readonly record?: string;
  readonly order?: 'oldest';
}

export const base = '/console/';

/** What a search is narrowed by with one word of anybody's. */
const words = [
  'caller',
  'system',
  'tenant',
  'kind',
  'resourceType',
  'result',
  'error',
  'status',
  'address',
  'request',
  'event',
] as const satisfies readonly (keyof AuditQuery)[];
const single = ['from', 'to', ...words] as const;
/** What a search can be narrowed by and that has a name and a value to show. */
export const criteria = [...words, 'effect', 'outcome'] as const;
const several = ['pseudonym', 'instance'] as const satisfies readonly (keyof AuditQuery)[];
const outcomes = ['answered', 'refused', 'failed', 'unknown'] as const satisfies readonly (keyof Outcomes)[];
const effects = ['read', 'write'] as const;

export function viewOf(address: URL): View {
  const given = address.searchParams;
  const record = given.get('record');
  return {
    ...oneOf(pages, 'page', given),
    query: queryOf(given),
    ...(record && { record }),
    ...(given.get('order') === 'oldest' && { order: 'oldest' }),
  };
}

export function addressOf({ page, query, record, order }: View): string {
  const given = new URLSearchParams();
  if (page !== undefined) given.set('page', page);
  for (const [name, value] of parametersOf(query)) given.append(name, value);
  if (order !== undefined) given.set('order', order);
  if (record !== undefined) given.set('record', record);
  const text = given.toString();
  return text === '' ? base : `${base}?${text}`;
}

export function parametersOf(query: AuditQuery): URLSearchParams {
  const parameters = new URLSearchParams();
  for (const name of [...single, 'effect', 'outcome'] as const) {
    const value = query[name];
    if (value !== undefined) parameters.set(name, value);
  }
  for (const name of several) for (const value of query[name] ?? []) parameters.append(name, value);
  return parameters;
}

function queryOf(given: URLSearchParams): AuditQuery {
  const query: Record<string, string | readonly string[]> = {
    ...oneOf(effects, 'effect', given),
    ...oneOf(outcomes, 'outcome', given),
  };
  for (const name of single) {
    const value = given.get(name);
    if (value) query[name] = value;
  }
  for (const name of several) {
    const values = given.getAll(name).filter(Boolean);
    if (values.length > 0) query[name] = values;
  }
  return query;
}

function oneOf<N extends string, V extends string>(
  allowed: readonly V[],
  name: N,
  given: URLSearchParams,
): { readonly [K in N]?: V } {
  const value = allowed.find((word) => word === given.get(name));
  return (value === undefined ? {} : { [name]: value }) as { readonly [K in N]?: V };
}
