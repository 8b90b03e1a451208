/**
 * Refusals of calls whose caller is not known, so that nobody can fill the disk without a secret (facts: 1.6). As many as
 * people cause have a record each. Beyond that a network's refusals are gathered: one record when that begins, which is
 * on disk before the first answer that it stands for, and one after ten seconds with their number.
 */
import type { Members } from './queue.ts';

export const gatheredEvent = 'request.rejected_many';

export interface StrangersOptions {
  /** The /24 or /64 that an address belongs to. */
  readonly networkOf: (ip: string) => string;
  readonly write: (event: string, members: Members) => Promise<boolean>;
  readonly now?: () => number;
}

interface Tally {
  readonly facts: { readonly event: string; readonly code: string; readonly network: string };
  readonly firstAt: number;
  lastAt: number;
  count: number;
  /** Whether the record that opens it is on disk. */
  readonly opened: Promise<boolean>;
}

interface Allowance {
  readonly most: number;
  readonly everyMs: number;
}

/** For each network, and for all together: who has many networks has no more disk. */
const ofNetwork: Allowance = { most: 100, everyMs: 6000 };
const ofAll: Allowance = { most: 600, everyMs: 500 };
const windowMs = 10_000;
const maxTallies = 64;
const maxNetworks = 10_000;

export class Strangers {
  readonly #options: StrangersOptions;
  readonly #now: () => number;
  readonly #networks = new Map<string, Bucket>();
  readonly #all: Bucket;
  readonly #tallies = new Map<string, Tally>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StrangersOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#all = new Bucket(ofAll, this.#now());
  }

  /** Whether this refusal may have a record of its own. */
  mayRecord(ip: string): boolean {
    const now = this.#now();
    const network = this.#options.networkOf(ip);
    const bucket = this.#networks.get(network) ?? new Bucket(ofNetwork, now);
    // The one that was asked longest ago makes room; what it forgets, the allowance of all still bounds.
    this.#networks.delete(network);
    this.#networks.set(network, bucket);
    const [oldest] = this.#networks.keys();
    if (this.#networks.size > maxNetworks && oldest !== undefined) this.#networks.delete(oldest);
    return bucket.take(now) && this.#all.take(now);
  }

  /** Resolves like a record's: whether what stands for this refusal is on stable storage. */
  gather(event: string, code: string, ip: string): Promise<boolean> {
    const network = this.#options.networkOf(ip);
    const full = this.#tallies.size >= maxTallies;
    const known = this.#tallies.get(`${event} ${code} ${network}`);
    const tally =
      known ??
      this.#tallies.getOrInsertComputed(full ? 'many' : `${event} ${code} ${network}`, () =>
        this.#open(full ? { event: 'many', code: 'many', network: 'many' } : { event, code, network }),
      );
    tally.count += 1;
    tally.lastAt = Date.now();
    this.#timer ??= setTimeout(() => void this.flush(), windowMs).unref();
    return tally.opened;
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const tallies = [...this.#tallies.values()];
    this.#tallies.clear();
    await Promise.all(tallies.map((tally) => this.#options.write(gatheredEvent, toldBy(tally))));
  }

  #open(facts: Tally['facts']): Tally {
    const at = Date.now();
    const begun = { facts, firstAt: at, lastAt: at, count: 0 };
    return { ...begun, opened: this.#options.write(gatheredEvent, toldBy(begun)) };
  }
}

function toldBy({ facts, count, firstAt, lastAt }: Omit<Tally, 'opened'>): Members {
  const [first, last] = [new Date(firstAt), new Date(lastAt)].map((at) => at.toISOString());
  // The record that opens it knows no number yet.
  return {
    facts: count === 0 ? { ...facts, firstAt: first } : { ...facts, count, firstAt: first, lastAt: last },
  };
}

/** Tokens that come back one by one. */
class Bucket {
  readonly #allowance: Allowance;
  #tokens: number;
  #at: number;

  constructor(allowance: Allowance, now: number) {
    this.#allowance = allowance;
    this.#tokens = allowance.most;
    this.#at = now;
  }

  take(now: number): boolean {
    const { most, everyMs } = this.#allowance;
    this.#tokens = Math.min(most, this.#tokens + (now - this.#at) / everyMs);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
