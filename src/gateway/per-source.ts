/**
 * How many connections one source may have. Without it a single host could take all of them from everybody else,
 * with nothing but an address.
 */
import { sourceOf } from '../auth/network.ts';

export class ConnectionsPerSource {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts one more; gives what ends it, or undefined when the source has as many as it may. */
  enter(ip: string): (() => void) | undefined {
    const source = sourceOf(ip);
    const count = this.#counts.get(source) ?? 0;
    if (count >= this.#most) return undefined;
    this.#counts.set(source, count + 1);
    return () => this.#leave(source);
  }

  #leave(source: string): void {
    const left = (this.#counts.get(source) ?? 0) - 1;
    if (left > 0) this.#counts.set(source, left);
    else this.#counts.delete(source);
  }
}
