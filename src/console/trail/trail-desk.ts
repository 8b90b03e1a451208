/**
 * Everything that the console asks of the trails, answered from the files of all replicas below the audit directory.
 * It runs in a thread of its own: reading a long trail must not hold up a single call.
 */
import { leafOf, rootFrom } from '../../audit/inclusion.ts';
import { parseCheckpoint } from '../../audit/note.ts';
import { NotProvable, proofText, Prover } from '../../audit/proof.ts';
import { NoTrail, openChains, type Chain } from '../../audit/read.ts';
import type { ProofReply, RecordDetail } from '../api/record.ts';
import type { AuditQuery, Histogram, RecordPage } from '../api/trail.ts';
import { callOf, findRecord, NoSuchRecord, seqOf } from './calls.ts';
import { cursorText, type Cursor } from './cursor.ts';
import { histogramOf } from './histogram.ts';
import { IndexStore, type IndexStoreOptions } from './index-store.ts';
import { readRecords, type Range } from './matches.ts';
import { physicalCallsOf, rowOf, traceOf } from './rows.ts';
import { pageOf } from './search.ts';
import { askedOf, type ConsoleQuery, type Looker } from './shape.ts';
import { doubtsOf, missingOf, stateOf, type TrailStates } from './trail-state.ts';

export interface TrailDeskOptions extends IndexStoreOptions {
  /** The audit directory, with a directory for each replica. */
  readonly trails: string;
}

export interface RecordsAsk {
  readonly query: AuditQuery;
  readonly looker?: Looker;
  readonly limit: number;
  readonly order: 'newest' | 'oldest';
  readonly cursor?: Cursor;
}

export interface BarsAsk extends Pick<RecordsAsk, 'query' | 'looker'> {
  readonly bars: number;
}

export class TrailDesk {
  readonly #trails: string;
  readonly #store: IndexStore;

  constructor({ trails, ...options }: TrailDeskOptions) {
    this.#trails = trails;
    this.#store = new IndexStore(options);
  }

  /**
   * Builds what indexes are missing, the newest first; afterwards every question is quick.
   * @param pause resolves when nobody waits for an answer
   */
  async prepare(pause: () => Promise<void>): Promise<void> {
    const chains = await this.#chains();
    await this.#store.sweep(chains);
    const most = Math.max(0, ...chains.map(({ segments }) => segments.length));
    for (let back = 1; back <= most; back += 1)
      for (const chain of chains) {
        await pause();
        const at = chain.segments.length - back;
        if (at < 0) continue;
        await this.#store.of(chain, at);
        await this.#store.settle(chain, at, pause);
      }
    await this.#store.keep();
  }

  async histogram({ query, looker, bars }: BarsAsk, signal: AbortSignal): Promise<Histogram> {
    const chains = await this.#chains(query.instance);
    const ask = { asked: askedOf(criteriaOf(query), looker), range: rangeOf(query), bars };
    const counts = await histogramOf(chains, this.#store, ask, signal);
    return { ...counts, ...(await doubtsOf(chains, this.#store)) };
  }

  async records(
    { query, looker, limit, order, cursor }: RecordsAsk,
    signal: AbortSignal,
  ): Promise<RecordPage> {
    const chains = await this.#chains(query.instance);
    const ask = {
      asked: askedOf(criteriaOf(query), looker),
      range: rangeOf(query),
      order,
      limit,
      cursor,
    };
    const { entries, next } = await pageOf(chains, this.#store, ask, signal);
    return {
      records: entries.map(rowOf),
      ...(next && { next: cursorText(next) }),
      ...(await doubtsOf(chains, this.#store)),
    };
  }

  async record({ id }: { readonly id: string }, signal: AbortSignal): Promise<RecordDetail> {
    const { chain, place, ordinal } = await findRecord(await this.#chains(), this.#store, id);
    const entry = (await readRecords(place, [ordinal])).get(ordinal);
    if (!entry) throw new NoSuchRecord();
    const call = await callOf(chain, this.#store, entry, signal);
    return {
      row: rowOf(entry),
      line: entry.line.toString(),
      call: call.map((each) => ({ row: rowOf(each), line: each.line.toString() })),
      trace: traceOf(call),
      physical: physicalCallsOf(call),
    };
  }

  async proof({ id }: { readonly id: string }): Promise<ProofReply> {
    const { chain } = await findRecord(await this.#chains(), this.#store, id);
    const proven = await new Prover(chain, []).prove(seqOf(id));
    const checkpoint = parseCheckpoint(proven.checkpoint);
    if (!checkpoint) throw new NotProvable('the checkpoint is none', true);
    const { size, root } = checkpoint;
    const reached = rootFrom(leafOf(Buffer.from(proven.line)), proven.index, size, proven.path);
    return {
      proof: JSON.parse(proofText([proven])),
      index: proven.index,
      size,
      root,
      holds: reached === root,
    };
  }

  async states(): Promise<TrailStates> {
    const chains = await this.#chains();
    const trails = await Promise.all(chains.map((chain) => stateOf(chain, this.#store)));
    const segments = chains.flatMap((chain) => chain.segments);
    const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    const ready = segments.filter(({ path }) => this.#store.knownOf(path));
    return {
      trails,
      missing: missingOf(chains, this.#store),
      records: trails.reduce((sum, { records }) => sum + records, 0),
      bytes,
      indexed: bytes === 0 ? 1 : ready.reduce((sum, segment) => sum + segment.bytes, 0) / bytes,
    };
  }

  async #chains(instances?: readonly string[]): Promise<Chain[]> {
    try {
      const all = await openChains([this.#trails]);
      return instances ? all.filter(({ instance }) => instances.includes(instance)) : all;
    } catch (error) {
      if (error instanceof NoTrail) return [];
      throw error;
    }
  }
}

export function criteriaOf({
  from: _from,
  to: _to,
  instance: _instance,
  pseudonym,
  ...query
}: AuditQuery): ConsoleQuery {
  return { ...query, pseudonyms: pseudonym };
}

export function rangeOf({ from, to }: AuditQuery): Range {
  return {
    from: from === undefined ? -Infinity : Date.parse(from),
    to: to === undefined ? Infinity : Date.parse(to),
  };
}
