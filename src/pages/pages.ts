/**
 * Reads through the cache with a sense of what belongs together: small pages of a running load come out of larger
 * blocks, single reads out of pages. The invariant: whatever is forgotten here, the tenant is asked at the caller's
 * own index, and nobody misses a resource.
 */
import type { Difference } from './beliefs.ts';
import { blockSize } from './block.ts';
import { Blocks, markOf, scopeOfBlock, scopeOfOwn, unmarked, type Mark } from './blocks.ts';
import { idOf, readListPage, type ListPage } from './list-page.ts';
import { OwnLoads, type Loads } from './loads.ts';
import type { Answer, AskTenant, Fetch, Further, Reading } from './memory.ts';
import { atFirst, givesEarly, nextOf, positionAfter, type Position } from './position.ts';
import { SingleReads } from './single-reads.ts';
import { isPlainList, pageAt, singlesOf, wantedPage, type Wanted } from './wanted.ts';
import { WriteReplies } from './write-replies.ts';

export interface PagesOptions {
  /** A view of a resource is no longer told for its single read: the tenant's two views of it differ. */
  readonly onDifference: (difference: Difference) => void;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
  /** Where loads stand; known to this process alone unless told otherwise. */
  readonly loads?: Loads;
}

/** So many pages in a row that were not kept, for want of room or because of writes, end the blocks of a load. */
const mostLosses = 3;

export class Pages {
  readonly #loads: Loads;
  readonly #blocks: Blocks;
  readonly #singles: SingleReads;
  readonly writes: WriteReplies;

  constructor({ onDifference, now = () => performance.now(), loads = new OwnLoads(now) }: PagesOptions) {
    this.#loads = loads;
    this.#blocks = new Blocks(now);
    this.#singles = new SingleReads(onDifference);
    this.writes = new WriteReplies(onDifference);
  }

  /** Whether a single read of that system was compared with a page, and said the same. */
  agreedAt(system: string): boolean {
    return this.#singles.agreedAt(system);
  }

  async read<A extends Answer>(reading: Reading<A>): Promise<A> {
    const { operation, scope, mayServe, settings, memory, askTenant } = reading;
    if (operation.kind === 'get') return this.#singles.read(reading);
    const wanted = wantedPage(operation);
    if (!wanted || settings.blocks === 'off' || !mayServe) {
      const answer = await memory.read(operation, scope, this.#smallPage(reading, askTenant));
      return isForLoads(answer) ? this.#ownPage(reading) : answer;
    }
    const known = await this.#loads.at(loadOf(reading, wanted), wanted.startIndex);
    const isOn = settings.blocks === 'on';
    const position = known ?? (isOn && this.#loads.mayBegin(wanted.startIndex) ? atFirst : undefined);
    const answer =
      (await recallRest(reading, position)) ??
      (await memory.read(operation, scope, this.#page(reading, wanted, position, askTenant)));
    const isLoad = wanted.startIndex === 1 || isOn || known !== undefined || isForLoads(answer);
    return isLoad ? this.#deliver(reading, wanted, position ?? atFirst, answer) : answer;
  }

  /** Asks for a block where a load goes on, else for the page that is wanted. */
  #page(reading: Reading, wanted: Wanted, position: Position | undefined, askTenant: AskTenant): Fetch {
    const { operation, scope, origin } = reading;
    const small = this.#smallPage(reading, askTenant);
    return async (asked, also) => {
      if (!position || position.losses >= mostLosses) return small(asked, also);
      const block = await this.#blocks.ask(
        operation,
        wanted,
        { scope, origin, before: position.estimate },
        (each) => askTenant(each, asked),
      );
      if (!block) return small(asked, also);
      also([...block.further, ...this.#singlesOf(reading, block.whole)]);
      return block.first;
    };
  }

  #smallPage(reading: Reading, askTenant: AskTenant): Fetch {
    return async (asked, also) => {
      const reply = unmarked(await askTenant(reading.operation, asked));
      if (isPlainList(reading.operation)) also(this.#singlesOf(reading, readListPage(reply)));
      return reply;
    };
  }

  #singlesOf(reading: Reading, page: ListPage | undefined): Further[] {
    if (!page || !this.#singles.mayFill(reading)) return [];
    return singlesOf(reading.operation, page.headers, page.resources, reading.scope);
  }

  /** As the tenant itself gives it, for a reader whose next page will not be known. */
  #ownPage<A extends Answer>(reading: Reading<A>): Promise<A> {
    const { operation, scope, memory, askTenant } = reading;
    return memory.read(operation, scopeOfOwn(scope), this.#smallPage(reading, askTenant));
  }

  /** Leaves out what the load has had already, and remembers where it will go on. */
  async #deliver<A extends Answer>(
    reading: Reading<A>,
    wanted: Wanted,
    position: Position,
    answer: A,
  ): Promise<A> {
    const page = readListPage(answer.reply);
    if (!page) return answer;
    const mark = markOf(answer.reply);
    if (page.itemsPerPage > 0) {
      const ahead = positionAfter(position, { wanted, page, mark, result: answer.result });
      const isKept = await this.#loads.expect(loadOf(reading, wanted), nextOf(page), ahead);
      if (!isKept && givesEarly(page, mark))
        return this.#deliver(reading, wanted, position, await this.#ownPage(reading));
      const isAwaited = isKept && position.isHere && answer.result === 'hit';
      if (isAwaited && mark && isWorthForeseeing(mark, page, wanted))
        this.#foresee(reading, { startIndex: mark.end, count: wanted.count }, ahead);
    }
    const isGiven = (resource: Buffer): boolean => position.given.has(idOf(resource) ?? '');
    if (wanted.startIndex >= position.givenEnd || !page.resources.some(isGiven)) return answer;
    const others = page.resources.filter((resource) => !isGiven(resource));
    return { ...answer, reply: page.write(page, others) };
  }

  #foresee(reading: Reading, wanted: Wanted, position: Position): void {
    const askTenant = reading.foresee();
    if (!askTenant) return;
    const operation = pageAt(reading.operation, wanted.startIndex);
    const fetch = this.#page({ ...reading, operation }, wanted, position, askTenant);
    // What fails here, the caller asks for himself when it gets there.
    reading.memory.read(operation, reading.scope, fetch).catch(() => undefined);
  }
}

/** One caller may run several loads at a time: their positions tell them apart. */
function loadOf({ caller, operation, scope, origin, accept }: Reading, { count }: Wanted): string {
  const { system, resourceType } = operation;
  return [caller, system, resourceType, origin, accept, scope, count].join('\n');
}

/** The next page of a block with dropped entities, which only a load that is in it may have. */
async function recallRest<A extends Answer>(
  { operation, scope, memory }: Reading<A>,
  position: Position | undefined,
): Promise<A | undefined> {
  if (position?.tag === undefined) return undefined;
  return memory.recall(operation, scopeOfBlock(scope, position.tag));
}

/** Whether it is a page for those alone whose place is kept. */
function isForLoads({ reply }: Answer): boolean {
  const mark = markOf(reply);
  const page = mark?.drops === true ? readListPage(reply) : undefined;
  return page !== undefined && givesEarly(page, mark);
}

/** On the second page of a block somebody reads on; a short block is likely the last. */
function isWorthForeseeing(
  { start, end, estimate }: Mark,
  { totalResults }: ListPage,
  { startIndex, count }: Wanted,
): boolean {
  const isSecond = startIndex === start + count;
  return isSecond && end - start === blockSize(count) && (estimate !== 'none' || end <= totalResults);
}
