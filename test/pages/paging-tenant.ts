/**
 * A tenant for the tests of pages: paging as IPS does it, over entities of which a condition drops some, and a gateway's
 * reading side before it: the real cache and the real pages, without the line.
 */
import { setImmediate as turn } from 'node:timers/promises';

import type { Cache, CacheAsk } from '../../src/cache/cache.ts';
import { createMemoryStore } from '../../src/cache/memory-store.ts';
import { createCache } from '../../src/cache/read-through.ts';
import type { Store } from '../../src/cache/store.ts';
import type { Watch } from '../../src/cache/watch.ts';
import type { Difference } from '../../src/pages/beliefs.ts';
import type { Loads } from '../../src/pages/loads.ts';
import type { Answer, AskTenant, PageSettings } from '../../src/pages/memory.ts';
import { Pages } from '../../src/pages/pages.ts';
import type { Reply } from '../../src/scim/call.ts';
import type { Operation } from '../../src/scim/operation.ts';
import { operation } from '../cache/operations.ts';

/** The rules of facts: IPS 3.2; `provided` is a backend's own total. */
export type Totals = 'provided' | '2025' | '2026';

export interface Entity {
  readonly id: string;
  /** False: the condition drops it after paging. */
  passes: boolean;
  version: number;
}

export interface PageBody {
  readonly startIndex: number;
  readonly itemsPerPage: number;
  readonly totalResults: number;
  readonly Resources: readonly { readonly id: string; readonly version: number }[];
}

const json = { 'content-type': 'application/scim+json' };

export class PagingTenant {
  entities: Entity[];
  calls = 0;
  /** Every call that went up, as `startIndex/count` or an id. */
  readonly asked: string[] = [];
  largestPage = 100;
  /** What `meta` tells of a resource, and the headers of its own read. */
  metaOf: (entity: Entity) => object = () => ({});
  tagOf: (entity: Entity) => string | undefined = () => undefined;
  readonly #totals: Totals;
  readonly #singleHas: object;

  constructor(entities: Entity[], totals: Totals = 'provided', singleHas: object = {}) {
    this.entities = entities;
    this.#totals = totals;
    this.#singleHas = singleHas;
  }

  answer({ kind, id, query }: Operation): Reply {
    this.calls += 1;
    if (kind === 'get') {
      this.asked.push(id ?? '');
      const entity = this.entities.find((each) => each.id === id);
      if (!entity?.passes) return { status: 404, headers: json, body: Buffer.from('{}') };
      const body = JSON.stringify({ ...this.#resourceOf(entity), ...this.#singleHas });
      const etag = this.tagOf(entity);
      return { status: 200, headers: { ...json, ...(etag && { etag }) }, body: Buffer.from(body) };
    }
    const startIndex = Number(query.get('startIndex') ?? 1);
    const count = Math.min(100, Number(query.get('count') ?? 25));
    this.asked.push(`${startIndex}/${count}`);
    if (count > this.largestPage) return { status: 500, headers: json, body: Buffer.from('{}') };
    const read = this.entities.slice(startIndex - 1, startIndex - 1 + count);
    const page: PageBody = {
      startIndex,
      itemsPerPage: read.length,
      totalResults: this.#total(startIndex, count, read.length),
      Resources: read.filter(({ passes }) => passes).map((entity) => this.#resourceOf(entity)),
    };
    return { status: 200, headers: json, body: Buffer.from(JSON.stringify(page)) };
  }

  #resourceOf(entity: Entity) {
    const { id, version } = entity;
    return { id, version, meta: { resourceType: 'User', ...this.metaOf(entity) } };
  }

  #total(startIndex: number, count: number, read: number): number {
    if (this.#totals === 'provided') return this.entities.length;
    if (read === 0) return startIndex + count - 1;
    return startIndex + count - (this.#totals === '2025' ? 1 : 0);
  }
}

export function entitiesOf(passes: readonly boolean[]): Entity[] {
  return passes.map((each, at) => ({ id: `u${at}`, passes: each, version: 0 }));
}

export interface SideOptions {
  readonly settings?: Partial<PageSettings>;
  readonly store?: Store;
  /** Shared with other replicas. */
  readonly loads?: Loads;
  /** Comes between the question and the answer of the tenant, before and after its data are read. */
  readonly pause?: () => Promise<void>;
  readonly lifetimeMs?: number;
  readonly now?: () => number;
  readonly foresees?: boolean;
  /** Asks ahead in another way than the callers' calls are asked. */
  readonly askAhead?: AskTenant;
  readonly system?: string;
  readonly absenceMs?: number;
  /** Whether a probe may go up after a write. */
  readonly probes?: boolean;
}

/** Whoever answers in the tenant's place. */
export interface Tenant {
  answer(operation: Operation): Reply;
}

/** The reading side of one replica. */
export class Side {
  readonly differences: Difference[] = [];
  readonly results: string[] = [];
  /** What was kept of the replies to writes. */
  readonly kept: string[] = [];
  readonly #probes: Promise<Reply>[] = [];
  readonly #tenant: Tenant;
  readonly #cache: Cache;
  readonly #pages: Pages;
  readonly #options: SideOptions;

  constructor(tenant: Tenant, options: SideOptions = {}) {
    const { store = createMemoryStore({ maxBytes: 50_000_000 }), now, loads } = options;
    this.#tenant = tenant;
    this.#options = options;
    this.#cache = createCache({ store, key: Buffer.alloc(32, 7), ...(now && { now }) });
    const onDifference = (each: Difference): void => void this.differences.push(each);
    this.#pages = new Pages({ onDifference, ...(now && { now }), ...(loads && { loads }) });
  }

  async read(target: string, { caller = 'idm', mayServe = true } = {}): Promise<Answer> {
    const { settings, foresees = false, system = 'hr' } = this.#options;
    const own = { ...this.#cacheAsk, caller, mayServe };
    const answer = await this.#pages.read({
      caller,
      operation: operation('GET', target, system),
      scope: '',
      origin: '',
      accept: '',
      mayServe,
      settings: { blocks: 'auto', singleReads: true, ...settings },
      memory: {
        read: (wanted, scope, fetch) => this.#cache.read(wanted, { ...own, scope }, fetch),
        recall: (wanted, scope) => this.#cache.recall(wanted, { ...own, scope }),
      },
      askTenant: this.#ask,
      foresee: () => (foresees ? (this.#options.askAhead ?? this.#ask) : undefined),
    });
    this.results.push(answer.result);
    return answer;
  }

  async page(startIndex: number, count?: number): Promise<PageBody> {
    const { reply } = await this.read(
      `Users?startIndex=${startIndex}${count === undefined ? '' : `&count=${count}`}`,
    );
    return JSON.parse(reply.body.toString()) as PageBody;
  }

  get #cacheAsk(): CacheAsk {
    const { lifetimeMs = 60_000, absenceMs = 0 } = this.#options;
    const rules = {
      lifetimeMs,
      maxStaleMs: 0,
      staleWhileRevalidate: false,
      staleOnError: false,
      absenceMs,
      refreshesPerMinute: 1000,
    };
    const who = { caller: 'idm', scope: '', accept: '', origin: '' };
    return { ...who, rules, mayServe: true, maxAgeMs: Infinity, mayKeep: true };
  }

  /** A write whose reply may be kept; without one its outcome is unknown. */
  async send(method: string, target: string, act: (wanted: Operation) => Reply | undefined): Promise<void> {
    const { probes = true, pause, system } = this.#options;
    const wanted = operation(method, target, system);
    const cache = this.#cache;
    const written = await this.#pages.writes.begin<Watch>({
      operation: wanted,
      scope: '',
      origin: '',
      isOn: true,
      underWayMs: 50,
      memory: {
        watch: (of) => cache.watch(of),
        forget: (of) => cache.forget(of),
        forgetWatched: (of, watch) => cache.forgetWatched(of, watch),
        holds: (watch) => cache.holds(watch),
        keep: (further, watch, askedAt) => {
          this.kept.push(further.operation.path);
          cache.keep(further, watch, askedAt, this.#cacheAsk);
        },
      },
      probe: () => (probes ? this.#probe : undefined),
    });
    await pause?.();
    const reply = act(wanted);
    await pause?.();
    await written.settle(reply);
  }

  /** Ends when all probes have. */
  async probed(): Promise<void> {
    await Promise.all(this.#probes);
    await turn();
  }

  async write(method: string, target: string, change: () => void): Promise<void> {
    await this.#options.pause?.();
    change();
    await this.#options.pause?.();
    await this.#cache.forget(operation(method, target, this.#options.system));
  }

  readonly #probe = (wanted: Operation): Promise<Reply> => {
    const probe = this.#ask(wanted, () => undefined);
    this.#probes.push(probe);
    return probe;
  };

  readonly #ask: AskTenant = async (wanted, asked) => {
    asked();
    await this.#options.pause?.();
    const reply = this.#tenant.answer(wanted);
    await this.#options.pause?.();
    return reply;
  };
}

/** How a caller that pages correctly ends a load. */
export type Ending = 'at the total' | 'at the first total' | 'at an empty page';

/** The ids that a load gives, page after page. */
export async function load(
  page: (startIndex: number) => Promise<PageBody>,
  ending: Ending,
  betweenPages: (startIndex: number) => Promise<void> = async () => undefined,
  from = 1,
): Promise<string[]> {
  const ids: string[] = [];
  for (let startIndex = from, total = from; ending === 'at an empty page' || startIndex <= total;) {
    const body = await page(startIndex);
    if (body.startIndex !== startIndex) throw new Error(`${startIndex} became ${body.startIndex}`);
    ids.push(...body.Resources.map(({ id }) => id));
    if (body.itemsPerPage === 0) break;
    // Some plan all their pages once they have the first.
    if (ending !== 'at the first total' || startIndex === from) total = body.totalResults;
    startIndex += body.itemsPerPage;
    await betweenPages(startIndex);
  }
  return ids;
}
