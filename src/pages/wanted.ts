/** Which page a list operation asks for, and the operations for its neighbours and for its resources. Pure. */
import type { Reply } from '../scim/call.ts';
import { priorities, type Operation } from '../scim/operation.ts';
import { encodeSegment, noQuery, Query, type Parameter } from '../scim/target.ts';
import { idOf, metaOf } from './list-page.ts';
import type { Further } from './memory.ts';

export interface Wanted {
  readonly startIndex: number;
  readonly count: number;
}

/** What IPS gives to those who do not say how many they want (facts: IPS 3.1). */
export const defaultCount = 25;

/** Whether nothing but the page is chosen: no filter, order, attributes, nor a cursor, whatever it may be called. */
export function isPlainList({ kind, query }: Operation): boolean {
  return kind === 'list' && /^(?:&?(?:count|startIndex)=[^&]*)*$/.test(query.canonical);
}

/** Undefined for what is better left to the tenant: odd numbers, and pages as large as a block. */
export function wantedPage(operation: Operation): Wanted | undefined {
  if (!isPlainList(operation)) return undefined;
  const startIndex = integer(operation.query.get('startIndex'), 1);
  const count = integer(operation.query.get('count'), defaultCount);
  return startIndex >= 1 && count >= 1 && count < 100 ? { startIndex, count } : undefined;
}

function integer(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  return /^\d{1,9}$/.test(text) ? Number(text) : 0;
}

/** The same list from another index on, as the same caller would ask for it. */
export function pageAt(operation: Operation, startIndex: number): Operation {
  const count = operation.query.get('count');
  return withPaging(operation, [
    ['startIndex', String(startIndex)],
    ...(count ? [['count', count] as const] : []),
  ]);
}

export function blockAt(operation: Operation, startIndex: number, size: number): Operation {
  return withPaging(operation, [
    ['startIndex', String(startIndex)],
    ['count', String(size)],
  ]);
}

function withPaging(operation: Operation, values: readonly (readonly [string, string])[]): Operation {
  const parameters = values.map(([name, value]): Parameter => ({ name, value, encoded: `${name}=${value}` }));
  return { ...operation, query: new Query(parameters) };
}

/** Single reads and what a list page says of them are kept apart until a probe has found them equal. */
export function scopeOfSingles(scope: string): string {
  return `${scope}\nof a page`;
}

/** The single resources of a page, as their own reads would bring them. */
export function singlesOf(
  list: Operation,
  headers: Reply['headers'],
  resources: readonly Buffer[],
  scope: string,
): Further[] {
  return resources.flatMap((body) => {
    const id = idOf(body);
    if (id === undefined) return [];
    const { etag: _, ...ofList } = ownHeaders(headers);
    // RFC 7644 §3.14: the version in `meta` is the ETag of the resource.
    const etag = metaOf(body, 'version');
    return [
      {
        operation: singleOf(list, id),
        scope: scopeOfSingles(scope),
        reply: { status: 200, headers: { ...ofList, ...(etag !== undefined && { etag }) }, body },
      },
    ];
  });
}

/** The read of one resource that a list or a write has told of. */
export function singleOf(from: Operation, id: string): Operation {
  return {
    ...from,
    kind: 'get',
    effect: 'read',
    id,
    path: from.id === undefined ? `${from.path}/${encodeSegment(id)}` : from.path,
    query: noQuery,
    touches: [],
    priority: priorities.read,
    parts: [],
  };
}

/** What another reply says of its resource, and of who may keep it, would be said by the resource's own as well. */
export function ownHeaders(headers: Reply['headers']): Reply['headers'] {
  const names = ['content-type', 'etag', 'cache-control', 'vary'] as const;
  return Object.fromEntries(names.map((name) => [name, headers[name]]));
}
