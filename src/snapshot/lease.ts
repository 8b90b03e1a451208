/**
 * The right to build, prolonged for as long as the work takes, however long that waits for the tenant. The invariant: who has
 * heard that somebody else has it goes no further; a Redis that is away takes it from nobody.
 */
import type { Board } from './board.ts';
import { CollectFault } from './collect.ts';

export class Lease implements Disposable {
  readonly #board: Pick<Board, 'hold'>;
  readonly #ms: number;
  readonly #timer: NodeJS.Timeout;
  #isTaken = false;

  /** @param board which has granted it */
  constructor(board: Pick<Board, 'hold'>, ms: number) {
    this.#board = board;
    this.#ms = ms;
    this.#timer = setInterval(() => void this.#prolong(), ms / 3).unref();
  }

  /** To be called before each step of the work. */
  async keep(): Promise<void> {
    await this.#prolong();
    if (this.#isTaken) throw new CollectFault('overtaken');
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  async #prolong(): Promise<void> {
    if (!this.#isTaken && (await this.#board.hold(this.#ms)) === false) this.#isTaken = true;
  }
}
