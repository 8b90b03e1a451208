/**
 * Everything that the console asks of the trails, answered from the files of all replicas below the audit directory.
 * It runs in a thread of its own: reading a long trail must not hold up a single call.
 */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { checkpointFile } from '../../audit/checkpoints.ts';
import { Entry } from '../../audit/entry.ts';
import { leafOf, rootFrom } from '../../audit/inclusion.ts';
import { originOf, parseCheckpoint } from '../../audit/note.ts';
import { NotProvable, proofText, Prover } from '../../audit/proof.ts';
import { headerOf, NoTrail, openChains, type Chain } from '../../audit/read.ts';
import { fileOf } from '../../audit/segment-name.ts';
import type { ProofReply, RecordDetail } from '../api/record.ts';
import type { AuditHealth, AuditQuery, Damage, Histogram, RecordPage, TrailState } from '../api/trail.ts';
import { histogramOf } from './histogram.ts';
import { IndexStore, type IndexStoreOptions } from './index-store.ts';
import { matchesIn, readRecords, type Place, type Range } from './matches.ts';
import { given, physicalCallsOf, rowOf, traceOf } from './rows.ts';
import { pageOf, type Cursor } from './search.ts';
import { askedOf, type ConsoleQuery } from './shape.ts';

export interface TrailDeskOptions extends IndexStoreOptions {
  /** The audit directory, with a directory for each replica. */
  readonly trails: string;
}

export interface RecordsAsk {
  readonly query: AuditQuery;
  readonly limit: number;
  readonly order: 'newest' | 'oldest';
  readonly cursor?: Cursor;
}

export type TrailStates = Omit<AuditHealth, 'pulse'>;

/** Heartbeats come every minute. */
const silentMs = 3 * 60_000;
/** How far from each other the records of one call can be. */
const callSpanMs = 2 * 60 * 60_000;
const mostDamages = 20;
const mostRecordsOfCall = 1000;

export class NoSuchRecord extends Error {
  constructor() {
    super('There is no such record.');
    this.name = 'NoSuchRecord';
  }
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
        if (at >= 0) await this.#store.of(chain, at);
      }
  }

  async histogram(
    { query, bars }: { readonly query: AuditQuery; readonly bars: number },
    signal: AbortSignal,
  ): Promise<Histogram> {
    const chains = await this.#chains(query.instance);
    const ask = { asked: askedOf(criteriaOf(query)), range: rangeOf(query), bars };
    const counts = await histogramOf(chains, this.#store, ask, signal);
    return { ...counts, ...(await this.#doubts(chains)) };
  }

  async records({ query, limit, order, cursor }: RecordsAsk, signal: AbortSignal): Promise<RecordPage> {
    const chains = await this.#chains(query.instance);
    const ask = {
      asked: askedOf(criteriaOf(query)),
      range: rangeOf(query),
      order,
      limit,
      cursor,
    };
    const { entries, next } = await pageOf(chains, this.#store, ask, signal);
    return {
      records: entries.map(rowOf),
      ...(next && { next: Buffer.from(JSON.stringify(next)).toString('base64url') }),
      ...(await this.#doubts(chains)),
    };
  }

  async record({ id }: { readonly id: string }, signal: AbortSignal): Promise<RecordDetail> {
    const { chain, place, ordinal } = await this.#find(id);
    const entry = (await readRecords(place, [ordinal])).get(ordinal);
    if (!entry) throw new NoSuchRecord();
    const call = await this.#callOf(chain, entry, signal);
    return {
      row: rowOf(entry),
      line: entry.line.toString(),
      call: call.map((each) => ({ row: rowOf(each), line: each.line.toString() })),
      trace: traceOf(call),
      physical: physicalCallsOf(call),
    };
  }

  async proof({ id }: { readonly id: string }): Promise<ProofReply> {
    const { chain } = await this.#find(id);
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
    const trails = await Promise.all(chains.map((chain) => this.#stateOf(chain)));
    const segments = chains.flatMap((chain) => chain.segments);
    const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    const ready = segments.filter(({ path }) => this.#store.knownOf(path));
    return {
      trails,
      missing: this.#missing(chains),
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

  /** Of what was found nobody can say that it is all. */
  async #doubts(
    chains: readonly Chain[],
  ): Promise<{ readonly silent: readonly string[]; readonly damages: readonly Damage[] }> {
    const silences = await Promise.all(chains.map((chain) => this.#silence(chain)));
    const damages: Damage[] = [];
    for (const chain of chains)
      for (const { name, path } of chain.segments) {
        const reasons = this.#store.knownOf(path)?.damages ?? [];
        const file = fileOf(name);
        damages.push(...reasons.map((reason) => ({ instance: chain.instance, file, reason })));
      }
    return { silent: silences.filter((name) => name !== undefined), damages: damages.slice(0, mostDamages) };
  }

  async #stateOf(chain: Chain): Promise<TrailState> {
    const { instance, running, segments, bytes } = chain;
    const [first] = segments;
    const last = await this.#store.of(chain, segments.length - 1);
    const firstAt = first && (await headerOf(first))?.ts;
    return {
      instance,
      chain: chain.chain ?? '',
      running,
      silent: (await this.#silence(chain)) !== undefined,
      ...given({ firstAt }),
      ...(Number.isFinite(last.lastMs) && { lastAt: new Date(last.lastMs).toISOString() }),
      records: last.name.firstSeq - (first?.name.firstSeq ?? 1) + last.count,
      segments: segments.length,
      bytes,
      ...given({ checkpoint: await checkpointOf(chain) }),
    };
  }

  /** The name of a chain that says nothing any more, although nothing ended it in order. */
  async #silence(chain: Chain): Promise<string | undefined> {
    const { lastMs, reason } = await this.#store.of(chain, chain.segments.length - 1);
    const hasEnded = reason === 'stopped' && !chain.running;
    return hasEnded || Date.now() - lastMs <= silentMs ? undefined : chain.instance;
  }

  /** Named by another trail, and nowhere here. */
  #missing(chains: readonly Chain[]): TrailStates['missing'] {
    const here = new Set(chains.map(({ chain }) => originOf(chain ?? '')));
    const found = new Map<string, TrailStates['missing'][number]>();
    for (const chain of chains)
      for (const { path } of chain.segments)
        for (const { origin, size } of this.#store.knownOf(path)?.siblings ?? [])
          if (!here.has(origin) && size > (found.get(origin)?.size ?? -1))
            found.set(origin, { origin, namedBy: chain.instance, size });
    return [...found.values()];
  }

  async #find(
    id: string,
  ): Promise<{ readonly chain: Chain; readonly place: Place; readonly ordinal: number }> {
    const wanted = id.slice(0, id.indexOf(':'));
    const seq = seqOf(id);
    const chain = (await this.#chains()).find((each) => each.chain === wanted);
    const at = chain?.segments.findLastIndex(({ name }) => name.firstSeq <= seq) ?? -1;
    const segment = chain?.segments[at];
    if (!chain || !segment) throw new NoSuchRecord();
    const place = { instance: chain.instance, path: segment.path, index: await this.#store.of(chain, at) };
    const ordinal = await ordinalOf(place, seq);
    if (ordinal === undefined) throw new NoSuchRecord();
    return { chain, place, ordinal };
  }

  /** By the request that all of them name; the gateway's own calls have none, and are joined by their intent. */
  async #callOf(chain: Chain, entry: Entry, signal: AbortSignal): Promise<readonly Entry[]> {
    const at = Date.parse(entry.ts);
    const range = { from: at - callSpanMs, to: at + callSpanMs };
    const request = entry.text('req');
    if (request !== undefined)
      return this.#gather(chain, { request }, range, signal, (each) => each.text('req') === request);
    const intent = entry.event === 'upstream.intent' ? entry.seq : entry.number('intent');
    if (intent === undefined) return [entry];
    const isPart = (each: Entry): boolean => each.seq === intent || each.number('intent') === intent;
    return this.#gather(
      chain,
      { event: 'upstream.*' },
      { from: at - callSpanMs / 24, to: at + callSpanMs / 24 },
      signal,
      isPart,
    );
  }

  async #gather(
    chain: Chain,
    query: ConsoleQuery,
    range: Range,
    signal: AbortSignal,
    isPart: (entry: Entry) => boolean,
  ): Promise<Entry[]> {
    const asked = askedOf(query);
    const found: Entry[] = [];
    for (const [at, segment] of chain.segments.entries()) {
      signal.throwIfAborted();
      const place = { instance: chain.instance, path: segment.path, index: await this.#store.of(chain, at) };
      const ordinals = await matchesIn(place, asked, range);
      const entries = await readRecords(place, ordinals);
      found.push(...[...entries.values()].filter(isPart));
      if (found.length > mostRecordsOfCall) break;
    }
    return found.slice(0, mostRecordsOfCall);
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

function seqOf(id: string): number {
  return Number(id.slice(id.indexOf(':') + 1));
}

/** Where no line is damaged, it is where its number says. */
async function ordinalOf(place: Place, seq: number): Promise<number | undefined> {
  const { count, name } = place.index;
  const guess = Math.min(seq - name.firstSeq, count - 1);
  for (let at = guess; at >= 0; at -= 1) {
    const entry = (await readRecords(place, [at])).get(at);
    if (entry?.seq === seq) return at;
    if (entry && entry.seq < seq) return undefined;
  }
  return undefined;
}

async function checkpointOf({ directories }: Chain): Promise<TrailState['checkpoint']> {
  const path = join(directories[0] ?? '', checkpointFile);
  try {
    const size = parseCheckpoint(await readFile(path, 'utf8'))?.size;
    return size === undefined ? undefined : { size, at: (await stat(path)).mtime.toISOString() };
  } catch (error) {
    if (Error.isError(error) && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
