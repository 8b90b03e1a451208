/**
 * Gathers what never became a call (broken framing, failed handshakes) into one record per source network and
 * fault every ten seconds, so that nobody can fill the trail's disk without a credential (facts: 1.6).
 */
import { isIPv4 } from 'node:net';

import { sourceOf } from '../auth/network.ts';

export interface NoiseFacts {
  readonly code: string;
  readonly network: string;
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

interface Tally {
  readonly event: string;
  readonly code: string;
  readonly network: string;
  readonly firstAt: number;
  lastAt: number;
  count: number;
}

const windowMs = 10_000;
/** More distinct sources than this within one window are counted together. */
const maxTallies = 256;

export class Noise implements Disposable {
  readonly #write: (event: string, facts: NoiseFacts) => void;
  readonly #tallies = new Map<string, Tally>();
  #timer: NodeJS.Timeout | undefined;

  /** @param write must not throw; it is called at most 257 times in ten seconds */
  constructor(write: (event: string, facts: NoiseFacts) => void) {
    this.#write = write;
  }

  report(event: string, code: string, ip: string): void {
    const full = this.#tallies.size >= maxTallies;
    const network = full ? 'many' : networkOf(ip);
    const key = full ? 'many' : `${event} ${code} ${network}`;
    const now = Date.now();
    const tally = this.#tallies.getOrInsertComputed(key, () => ({
      event: full ? 'proto.malformed' : event,
      code: full ? 'many' : code,
      network,
      firstAt: now,
      lastAt: now,
      count: 0,
    }));
    tally.count += 1;
    tally.lastAt = now;
    this.#timer ??= setTimeout(() => this.flush(), windowMs).unref();
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const { event, code, network, count, firstAt, lastAt } of this.#tallies.values())
      this.#write(event, { code, network, count, firstAt: iso(firstAt), lastAt: iso(lastAt) });
    this.#tallies.clear();
  }

  [Symbol.dispose](): void {
    this.flush();
  }
}

const iso = (at: number): string => new Date(at).toISOString();

/** The /24 or /64 that an address belongs to. */
export function networkOf(ip: string): string {
  const source = sourceOf(ip);
  return isIPv4(source) ? source.replace(/\.\d+$/, '.0/24') : source;
}
