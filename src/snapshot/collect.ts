/**
 * Reads a whole collection page by page. The invariant: nobody is missed. Each page begins a few positions before the last
 * one's end, so that deletions meanwhile, which move everybody forward, leave no gap; where two pages do not meet, the page
 * before is read again. Only a page without positions is the end (facts: IPS 3.2).
 */
import { estimateOf } from '../pages/block.ts';
import { idOf, readListPage, type ListPage } from '../pages/list-page.ts';
import type { Reply } from '../scim/call.ts';

export type Fault =
  | 'not-a-page'
  | 'no-id'
  | 'moved'
  | 'unread-positions'
  | 'too-large'
  | 'tenant-error'
  | 'not-kept';

export class CollectFault extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(`The collection cannot be read as a whole: ${fault}.`);
    this.fault = fault;
  }
}

export interface Collected {
  /** By id, in the order of the tenant. */
  readonly bodies: ReadonlyMap<string, Buffer>;
  readonly bytes: number;
  readonly contentType: string;
}

export interface CollectOptions {
  readonly askPage: (startIndex: number, count: number) => Promise<Reply>;
  readonly maxBytes: number;
  readonly pageSize?: number;
}

/** As many deletions between two pages leave no gap, whatever conditions have dropped. */
const seam = 5;

export async function collect({ askPage, maxBytes, pageSize = 100 }: CollectOptions): Promise<Collected> {
  const bodies = new Map<string, Buffer>();
  let bytes = 0;
  let contentType: string | undefined;
  let last: ListPage | undefined;
  let isReal = true;
  const read = async (startIndex: number): Promise<ListPage> => {
    const reply = await askPage(startIndex, pageSize);
    if (reply.status !== 200) throw new CollectFault('tenant-error');
    const page = readListPage(reply);
    if (!page || page.startIndex !== startIndex || page.resources.length > page.itemsPerPage)
      throw new CollectFault('not-a-page');
    contentType ??= reply.headers['content-type'];
    return page;
  };
  const take = (page: ListPage): void => {
    for (const body of page.resources) {
      const id = idOf(body);
      if (id === undefined) throw new CollectFault('no-id');
      bytes += body.length - (bodies.get(id)?.length ?? 0);
      bodies.set(id, Buffer.from(body));
    }
    if (bytes > maxBytes) throw new CollectFault('too-large');
    isReal &&= estimateOf(page, pageSize) === 'none';
    last = page;
  };
  for (;;) {
    const end: number = last ? endOf(last) : 0;
    const begin = Math.max(1, end + 1 - seam);
    let page = await read(last ? begin : 1);
    if (last && !meet(last, page)) page = await read(last.startIndex);
    if (last && !meet(last, page)) throw new CollectFault('moved');
    const isNew = page.itemsPerPage > 0 && (!last || endOf(page) > end);
    if (isNew) {
      take(page);
      continue;
    }
    if (page.itemsPerPage > 0) take(page);
    const rest = await read(last ? endOf(last) + 1 : 1);
    if (rest.itemsPerPage === 0) break;
    take(rest);
  }
  // A total of the backend's own counts positions, so all of them must have been read.
  if (last && isReal && last.totalResults > endOf(last)) throw new CollectFault('unread-positions');
  return { bodies, bytes, contentType: contentType ?? 'application/scim+json' };
}

const endOf = ({ startIndex, itemsPerPage }: ListPage): number => startIndex + itemsPerPage - 1;

/** Whether two pages have a resource in common; where conditions left nothing of the first there is nothing to compare. */
function meet(before: ListPage, page: ListPage): boolean {
  if (before.resources.length === 0) return true;
  const known = new Set(before.resources.map(idOf));
  return page.resources.some((resource) => known.has(idOf(resource)));
}
