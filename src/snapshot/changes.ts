/**
 * What a write makes of the snapshot of a type, from what the write touches. In doubt it is everything: a snapshot that is not
 * served costs calls, one that shows an older state costs trust.
 */
import { idOf } from '../pages/list-page.ts';
import type { Reply } from '../scim/call.ts';
import { folded } from '../scim/folded.ts';
import type { Operation } from '../scim/operation.ts';
import type { Change } from './board.ts';
import { namesIn } from './mentions.ts';

export type Fact = Pick<Change, 'kind' | 'id' | 'names' | 'mentioned'>;

/** What is known of a write. */
export interface Known {
  readonly body: Buffer | undefined;
  /** Undefined when nobody knows what came of it. */
  readonly reply: Reply | undefined;
}

export function changesBy(operation: Operation, known: Known, resourceType: string): Fact[] {
  return [operation, ...operation.parts].flatMap((part) => changesByPart(part, known, resourceType));
}

function changesByPart(part: Operation, { body, reply }: Known, resourceType: string): Fact[] {
  const touches = part.touches.filter((touch) => touch.resourceType === resourceType);
  if (touches.length === 0) return [];
  if (part.kind === 'create' && reply && wasRefused(reply)) return [];
  const ids = touches.flatMap(({ scope, id }) => (scope === 'one' && id !== undefined ? [id] : []));
  const kind = kindOf(part, reply);
  const names = namesIn(body);
  if (!names) return [{ kind: 'all' }, ...(kind === 'one' ? [] : ids.map((id) => ({ kind, id })))];
  const own = part.id === undefined ? [] : [folded(part.id)];
  // The members of a group that is named as a member of another are in both.
  const isNested = part.resourceType === 'Groups' && resourceType === 'Users';
  const around = { names, mentioned: isNested ? [...own, ...names] : own };
  if (touches.some(({ scope }) => scope === 'all')) {
    const isNear = own.length + names.length > 0;
    return isNear ? [{ kind: 'near', ...around, names: [...own, ...names] }] : [];
  }
  if (ids.length === 0) return [{ ...around, ...bornBy(part, reply) }];
  return ids.map((id) => ({ ...around, kind, id }));
}

/** The reply to a bulk request does not say it of each. */
function kindOf({ kind }: Operation, reply: Reply | undefined): Fact['kind'] {
  if (kind !== 'delete' || (reply && wasRefused(reply))) return 'one';
  return reply?.status === 204 ? 'gone' : 'leaving';
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
