/**
 * What a write makes of the snapshot of a type, from what the write touches. In doubt it is everything: a snapshot that is not
 * served costs calls, one that shows an older state costs trust.
 */
import { idOf } from '../pages/list-page.ts';
import type { Reply } from '../scim/call.ts';
import type { Operation } from '../scim/operation.ts';
import type { Change } from './board.ts';

export type Fact = Pick<Change, 'kind' | 'id'>;

/** @param reply undefined when nobody knows what came of the write */
export function changesBy(operation: Operation, reply: Reply | undefined, resourceType: string): Fact[] {
  return [operation, ...operation.parts].flatMap((part) => changesByPart(part, reply, resourceType));
}

function changesByPart(part: Operation, reply: Reply | undefined, resourceType: string): Fact[] {
  const touches = part.touches.filter((touch) => touch.resourceType === resourceType);
  if (touches.length === 0) return [];
  if (part.kind === 'create' && reply && wasRefused(reply)) return [];
  if (touches.some(({ scope }) => scope === 'all')) return [{ kind: 'all' }];
  const ids = touches.flatMap(({ scope, id }) => (scope === 'one' && id !== undefined ? [id] : []));
  if (ids.length === 0) return [bornBy(part, reply)];
  const isGone = part.kind === 'delete' && reply?.status === 204;
  return ids.map((id) => ({ kind: isGone ? 'gone' : 'one', id }));
}

/** RFC 7644 §3.3: the reply of a create is the resource, or its address. */
function bornBy({ kind }: Operation, reply: Reply | undefined): Fact {
  if (kind !== 'create' || !reply || reply.status >= 300) return { kind: 'all' };
  const id = idIn(reply) ?? idAt(reply.headers['location']);
  return id === undefined ? { kind: 'all' } : { kind: 'born', id };
}

function idIn({ body }: Reply): string | undefined {
  try {
    JSON.parse(body.toString('utf8'));
  } catch {
    return undefined; // An empty body, most likely: the address says the same.
  }
  return idOf(body);
}

function idAt(location: string | undefined): string | undefined {
  const last = location?.split('/').at(-1);
  return last === undefined || last === '' ? undefined : decodeURIComponent(last);
}

/** The tenant has said that it did not do it. */
function wasRefused({ status }: Reply): boolean {
  return status >= 400 && status < 500;
}
