/**
 * Keeps the snapshot of one type: builds it when it is due and nobody else does, and tells when it cannot. It rests at least
 * as long as it worked, so that changes that end a snapshot again and again do not take the tenant's time for themselves.
 */
import { ageOf } from '../cache/age.ts';
import type { Board, Edition } from './board.ts';
import { build, type NotBuilt, type Source } from './build.ts';
import type { Fact } from './changes.ts';
import { changedSince, instantBefore } from './delta.ts';
import { Lease } from './lease.ts';
import { EditionReader } from './reader.ts';
import type { ShownSnapshot } from './shown.ts';

export interface KeeperRules {
  /** A whole reading is due after so long. */
  readonly fullMs: number;
  /** How often what was changed elsewhere is asked for, where the system tells it. */
  readonly changesMs: number;
  /** An edition older than this is not shown. */
  readonly maxAgeMs: number;
  readonly maxBytes: number;
}

export interface Keeping extends KeeperRules {
  readonly source: Source;
}

export interface KeeperState {
  readonly ageMs: number | undefined;
  readonly total: number;
  readonly bytes: number;
  /** Whether lists are answered from it. */
  readonly isShown: boolean;
  /** Whether the last build came to nothing. */
  readonly isFaulty: boolean;
}

export interface KeeperOptions {
  readonly board: Board;
  readonly shown: Pick<ShownSnapshot, 'editionOf'>;
  readonly keeping: () => Keeping;
  /** @param event `refused`: a sound edition that is too small; `failed`: none was made; `recovered` */
  readonly report: (event: 'refused' | 'failed' | 'recovered', facts: Record<string, unknown>) => void;
}

/** Until when changes of an edition were asked for, and what they were. */
interface Followed {
  readonly edition: string;
  readonly at: number;
  readonly told: Map<string, Buffer>;
}

const leaseMs = 60_000;
const leastRestMs = 1000;
const mostRestMs = 60_000;
const release = 'release';
const releasedForMs = 24 * 60 * 60_000;

export class Keeper implements Disposable {
  readonly #options: KeeperOptions;
  #timer: NodeJS.Timeout | undefined;
  #restUntil = 0;
  #followed: Followed | undefined;
  #fault: string | undefined;
  /** The edition that was in force when it failed. */
  #faultAfter: string | undefined;
  #lease: Lease | undefined;
  #isClosed = false;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#wait();
  }

  /** The next edition may be of any size, whichever replica builds it. */
  async release(): Promise<boolean> {
    this.#restUntil = 0;
    return this.#options.board.keep(release, Buffer.from('1'), releasedForMs);
  }

  async state(): Promise<KeeperState> {
    const standing = await this.#options.board.read();
    const edition = standing?.edition;
    const ageMs = edition && ageOf(edition.begunAt, Date.now());
    const { keeping, shown } = this.#options;
    const isSound = standing !== undefined && (await shown.editionOf(standing)) !== undefined;
    const isShown = isSound && ageMs !== undefined && ageMs <= keeping().maxAgeMs;
    return {
      ageMs,
      total: edition?.total ?? 0,
      bytes: edition?.bytes ?? 0,
      isShown,
      isFaulty: this.#fault !== undefined,
    };
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#lease?.[Symbol.dispose]();
    clearTimeout(this.#timer);
  }

  #wait(): void {
    if (this.#isClosed) return;
    const ms = Math.min(1000, this.#options.keeping().fullMs / 4);
    this.#timer = setTimeout(() => void this.#turn().finally(() => this.#wait()), ms).unref();
  }

  async #turn(): Promise<void> {
    const { board, keeping, shown } = this.#options;
    if (performance.now() < this.#restUntil) return;
    const standing = await board.read();
    if (!standing) return;
    const edition = await shown.editionOf(standing);
    if (edition && isYounger(edition.begunAt, keeping().fullMs)) {
      // Another replica made it.
      if (edition.name !== this.#faultAfter) this.#recover(edition);
      return this.#follow(edition);
    }
    this.#faultAfter = edition?.name;
    const begunAt = performance.now();
    try {
      await this.#build();
    } catch (cause) {
      this.#fail('failed', { fault: 'tenant-error', code: cause instanceof Error ? cause.name : '' });
    }
    const tookMs = performance.now() - begunAt;
    const restMs = this.#fault === undefined ? tookMs : Math.max(mostRestMs / 2, tookMs);
    const { fullMs } = keeping();
    this.#restUntil = performance.now() + Math.min(Math.max(restMs, leastRestMs), mostRestMs, fullMs);
  }

  /** What was changed elsewhere goes onto the board like a write of ours: whoever shows it asks for it. */
  async #follow(edition: Edition): Promise<void> {
    const { board, keeping } = this.#options;
    if (this.#followed?.edition !== edition.name)
      this.#followed = { edition: edition.name, at: edition.begunAt, told: new Map() };
    const { at, told } = this.#followed;
    const now = Date.now();
    if (!edition.tellsChanges || isYounger(at, keeping().changesMs) || !(await board.hold(leaseMs))) return;
    // It is asked again at its time; what it fails at, the whole reading does.
    const found = await changedSince(instantBefore(at), keeping().source.changed).catch(() => undefined);
    this.#followed = { edition: edition.name, at: now, told };
    const reader = new EditionReader(board);
    const ids = new Set(await reader.ids(edition));
    const changes: Fact[] = [];
    for (const [id, body] of found ?? []) {
      const known = told.get(id) ?? (await reader.body(edition, id));
      if (known?.equals(body)) continue;
      told.set(id, body);
      changes.push({ kind: ids.has(id) ? 'one' : 'born', id });
    }
    if (changes.length > 0) await board.append(changes);
  }

  async #build(): Promise<void> {
    const { board, keeping } = this.#options;
    const start = await board.begin(leaseMs);
    if (!start) return;
    using lease = (this.#lease = new Lease(board, leaseMs));
    const { source, maxBytes, maxAgeMs } = keeping();
    const isReleased = (await board.kept(release)) instanceof Buffer;
    const built = await build(board, start, {
      source: {
        page: (...page) => this.#held(lease, () => source.page(...page)),
        single: (id) => this.#held(lease, () => source.single(id)),
        changed: (...asked) => this.#held(lease, () => source.changed(...asked)),
      },
      maxBytes,
      lifetimeMs: maxAgeMs + leaseMs,
      isReleased,
    });
    if ('edition' in built) {
      if (isReleased) await board.drop([release]);
      this.#recover(built.edition);
    } else this.#refuse(built);
  }

  async #held<T>(lease: Lease, work: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new Error('The gateway is shutting down.');
    await lease.keep();
    return work();
  }

  #refuse(built: NotBuilt): void {
    const isRefusal = built.fault === 'shrunk' || built.fault === 'empty';
    this.#fail(isRefusal ? 'refused' : 'failed', { ...built });
  }

  #recover({ total }: Edition): void {
    if (this.#fault !== undefined) this.#options.report('recovered', { resources: total });
    this.#fault = undefined;
  }

  /** Told once, not with every attempt. */
  #fail(event: 'refused' | 'failed', facts: { readonly fault: string } & Record<string, unknown>): void {
    if (this.#fault !== facts.fault && !this.#isClosed) this.#options.report(event, facts);
    this.#fault = facts.fault;
  }
}

/** Nothing is, once the clock was set back behind it. */
function isYounger(at: number, thanMs: number): boolean {
  const ageMs = ageOf(at, Date.now());
  return ageMs !== undefined && ageMs < thanMs;
}
