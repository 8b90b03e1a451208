/**
 * Reads a whole collection page by page. The invariant: after each page that is taken, everybody who stood at or before its
 * last position then, and has stayed, is known. A next page keeps it when it shows again some whom the last one has: whoever
 * stood behind those stands behind them still, however many went or came. Where conditions leave nothing to show, as many
 * positions are read again as deletions may have moved people forward. Nothing else is taken (docs/decisions/0021-snapshots.md).
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
  | 'overtaken'
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

/** So many of a page are to be seen again in the next one. */
const seam = 5;
/** So many must be: one of them may have been moved himself, and then his place tells nothing. */
const enough = 2;
/** A page is taken three calls after the one before at most, and at each a seam of positions may have gone. */
const mostCalls = 3;
/** How often in a row a page may lead no further, or the last one be read again. */
const mostTries = 2;

export async function collect(options: CollectOptions): Promise<Collected> {
  const reading = new Reading(options);
  await reading.finish();
  const { bodies, bytes, contentType = 'application/scim+json' } = reading;
  return { bodies, bytes, contentType };
}

class Reading {
  readonly bodies = new Map<string, Buffer>();
  bytes = 0;
  contentType: string | undefined;
  readonly #options: CollectOptions;
  readonly #pageSize: number;
  /** The tenant may give fewer positions than it is asked for. */
  #longest = 0;
  #isReal = true;

  constructor(options: CollectOptions) {
    this.#options = options;
    this.#pageSize = options.pageSize ?? 100;
  }

  async finish(): Promise<void> {
    let last = await this.#read(1);
    if (last.itemsPerPage === 0) return;
    this.#take(last);
    for (let tries = 0; ;) {
      const { before, page } = await this.#follow(last);
      if (page.itemsPerPage > 0) this.#take(page);
      last = page.itemsPerPage > 0 ? page : before;
      if (endOf(page) > endOf(before)) tries = 0;
      // What stands behind is not taken here: nothing shows that nobody stands between.
      else if ((await this.#read(endOf(page) + 1)).itemsPerPage === 0) break;
      else if (++tries > mostTries) throw new CollectFault('moved');
    }
    // A total of the backend's own counts positions, so all of them must have been read.
    if (this.#isReal && last.totalResults > endOf(last)) throw new CollectFault('unread-positions');
  }

  async #read(startIndex: number): Promise<ListPage> {
    const reply = await this.#options.askPage(startIndex, this.#pageSize);
    if (reply.status !== 200) throw new CollectFault('tenant-error');
    const page = readListPage(reply);
    if (!page || page.startIndex !== startIndex || page.resources.length > page.itemsPerPage)
      throw new CollectFault('not-a-page');
    this.contentType ??= reply.headers['content-type'];
    return page;
  }

  #take(page: ListPage): void {
    for (const body of page.resources) {
      const id = idOf(body);
      if (id === undefined) throw new CollectFault('no-id');
      this.bytes += body.length - (this.bodies.get(id)?.length ?? 0);
      this.bodies.set(id, Buffer.from(body));
    }
    if (this.bytes > this.#options.maxBytes) throw new CollectFault('too-large');
    this.#isReal &&= estimateOf(page, this.#pageSize) === 'none';
    this.#longest = Math.max(this.#longest, page.itemsPerPage);
  }

  /** @returns the page that may be taken next, and the one before it, which may have been read again */
  async #follow(last: ListPage): Promise<{ readonly before: ListPage; readonly page: ListPage }> {
    let before = last;
    for (let tries = 0; tries < mostTries; tries += 1) {
      const shown = idsOf(before).size;
      const [narrow, wide] = [this.#overlap(before), this.#widest];
      let page = await this.#readBehind(before, narrow);
      if (narrow < wide && !meet(before, page)) page = await this.#readBehind(before, wide);
      if (meet(before, page)) return { before, page };
      if (shown < enough) return { before, page: this.#byPositions(before, page) };
      const again = await this.#read(before.startIndex);
      // All that the wide page has of the one before may have been dropped.
      const isBlank = shown - (before.itemsPerPage - wide) < enough;
      if (isBlank && endsAs(before, again)) return { before, page: this.#byPositions(before, page) };
      if (!meet(before, again)) break;
      this.#take(again);
      before = again;
    }
    throw new CollectFault('moved');
  }

  #readBehind(before: ListPage, overlap: number): Promise<ListPage> {
    return this.#read(Math.max(1, endOf(before) + 1 - overlap));
  }

  /** So many positions that a seam is expected among them which conditions have not dropped. */
  #overlap(before: ListPage): number {
    const shown = idsOf(before).size;
    if (shown < enough) return this.#widest;
    return Math.min(this.#widest, Math.ceil((seam * before.itemsPerPage) / shown));
  }

  get #widest(): number {
    const half = Math.max(mostCalls * seam, Math.floor(this.#longest / 2));
    return Math.max(seam, Math.min(half, this.#longest - 1));
  }

  /** Where there is nothing to compare, the overlap itself bears as many deletions as it has positions. */
  #byPositions(before: ListPage, page: ListPage): ListPage {
    const isShrunk = this.#isReal && before.totalResults - page.totalResults > this.#widest;
    if (isShrunk || page.itemsPerPage === 0) throw new CollectFault('moved');
    return page;
  }
}

const endOf = ({ startIndex, itemsPerPage }: ListPage): number => startIndex + itemsPerPage - 1;

const idsOf = ({ resources }: ListPage): Set<string | undefined> => new Set(resources.map(idOf));

/** Whether nobody can stand between two pages. */
function meet(before: ListPage, page: ListPage): boolean {
  return page.startIndex === 1 || idsOf(before).intersection(idsOf(page)).size >= enough;
}

/** Whether a page that is read again shows nobody who has come from behind it. */
function endsAs(before: ListPage, again: ListPage): boolean {
  const known = idsOf(before);
  const ends = [...idsOf(again)].slice(-enough);
  return ends.length === enough && ends.every((id) => known.has(id));
}
