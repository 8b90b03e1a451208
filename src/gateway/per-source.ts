/**
 * How many connections one source may have. Without it a single host could take all of them from everybody else,
 * with nothing but an address.
 */
import type { Socket } from 'node:net';

import { sourceOf } from '../auth/network.ts';

export class ConnectionsPerSource {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Counts the connection until it closes; false when its source has as many as it may. */
  admit(socket: Socket): boolean {
    const source = sourceOf(socket.remoteAddress ?? '');
    const count = this.#counts.get(source) ?? 0;
    if (count >= this.#most) return false;
    this.#counts.set(source, count + 1);
    socket.once('close', () => this.#leave(source));
    return true;
  }

  #leave(source: string): void {
    const left = (this.#counts.get(source) ?? 0) - 1;
    if (left > 0) this.#counts.set(source, left);
    else this.#counts.delete(source);
  }
}
