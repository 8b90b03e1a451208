/**
 * The ids of what a write has created, as its answer names them: with them the trail joins a create to whatever happens to
 * the account later. An answer that names none, or in no way that can be read, is no fault.
 */
import type { Reply } from '../scim/call.ts';
import { digitsOf, readExactly } from '../scim/exact-json.ts';
import type { Operation } from '../scim/operation.ts';
import { attribute } from './agreement.ts';

/** @returns one of a create, of a bulk request one of each part that has created something */
export function createdBy({ kind, parts, resourceType }: Operation, reply: Reply): string[] {
  if (reply.status >= 300) return [];
  if (kind === 'create') {
    const id = idOf(readExactly(reply.body), reply.headers['location'], [resourceType]);
    return id === undefined ? [] : [id];
  }
  if (kind !== 'bulk') return [];
  const types = parts.filter((part) => part.kind === 'create').map((part) => part.resourceType);
  const items = types.length > 0 ? attribute(readExactly(reply.body), 'operations') : undefined;
  if (!Array.isArray(items)) return [];
  return items
    .filter(hasCreated)
    .slice(0, types.length)
    .map((item) => idOf(attribute(item, 'response'), attribute(item, 'location'), types))
    .filter((id) => id !== undefined);
}

/** RFC 7644 §3.7.3: the status is a text, and some write it as a number. */
function hasCreated(item: unknown): boolean {
  const [method, status] = [attribute(item, 'method'), attribute(item, 'status')];
  const code = digitsOf(status) ?? status;
  return (
    typeof method === 'string' && /^post$/i.test(method) && typeof code === 'string' && code.startsWith('2')
  );
}

/** RFC 7644 §3.3: a create may be answered without the resource, §3.7.3: a part often is. */
function idOf(resource: unknown, location: unknown, types: readonly string[]): string | undefined {
  const own = attribute(resource, 'id');
  const id = typeof own === 'string' && own !== '' ? own : idIn(location, types);
  return id?.isWellFormed() ? id : undefined;
}

function idIn(location: unknown, types: readonly string[]): string | undefined {
  if (typeof location !== 'string') return undefined;
  const [, type = '', id = ''] = /(?:^|\/)([^/?#]+)\/([^/?#]+)\/?(?:[?#]|$)/.exec(location) ?? [];
  try {
    return types.includes(type) ? decodeURIComponent(id) : undefined;
  } catch {
    return undefined; // percent-encoded bytes that are not UTF-8
  }
}
