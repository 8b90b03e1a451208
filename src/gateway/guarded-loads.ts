/** Where the guard stands in the line of a read: at each page of a load, and never between a caller and a single answer. */
import { ceilingsFor } from '../guard/ceiling.ts';
import type { LoadPage } from '../guard/running-load.ts';
import { idOf, readListPage } from '../pages/list-page.ts';
import { defaultCount, isPlainList } from '../pages/wanted.ts';
import type { Reply } from '../scim/call.ts';
import type { GuardParts } from './guarded.ts';
import type { Asked, System } from './place.ts';

/** A larger first page is read at once instead of being kept for a load that may go on. */
const mostKept = 256 * 1024;

/** Follows loads: lists of a whole type, page by page. Throws `load-held` in place of an end that must not be told. */
export async function guardLoad(
  { guarding, guardSettings }: GuardParts,
  system: System,
  { operation, caller }: Pick<Asked, 'operation' | 'caller'>,
  reply: Reply,
  isHit: boolean,
): Promise<void> {
  if (!isPlainList(operation)) return;
  const { loads: ceiling } = ceilingsFor(guardSettings, caller, system.id, new Date());
  if (ceiling.above === 'off') return;
  const { query, resourceType } = operation;
  const count = Number(query.get('count') ?? defaultCount);
  const asked = { caller, system: system.id, resourceType, count, isHit };
  const read = (): LoadPage | undefined => {
    const page = pageIn(reply);
    return page && { ...asked, ...page };
  };
  const isFirst = Number(query.get('startIndex') ?? 1) <= 1;
  if (isHit && isFirst && reply.body.length <= mostKept) return guarding.loads.glance(asked, read);
  const page = read();
  if (page) await guarding.loads.see(page, ceiling);
}

function pageIn(
  reply: Reply,
): Pick<LoadPage, 'startIndex' | 'itemsPerPage' | 'totalResults' | 'ids'> | undefined {
  const page = readListPage(reply);
  if (!page) return undefined;
  const { startIndex, itemsPerPage, totalResults, resources } = page;
  const ids = resources.map(idOf).filter((id) => id !== undefined);
  // Resources without an id can be compared with nothing.
  return ids.length < resources.length ? undefined : { startIndex, itemsPerPage, totalResults, ids };
}
