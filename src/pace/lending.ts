/**
 * Turns on their way from a replica's own part into the pool. The invariant: each is spent here before it is sent; what
 * finds no room there comes back, and what nobody answers for is gone.
 */
import type { OwnBudget } from './budget.ts';

/** So many beats at most lie between an attempt in vain and the next. */
const mostInVain = 4;

export class Lending {
  readonly #own: OwnBudget;
  #leaving = 0;
  /** How often in a row there was no room. */
  #inVain = 0;
  #againAt = 0;

  constructor(own: OwnBudget) {
    this.#own = own;
  }

  /** Until when it would be in vain. */
  get againAt(): number {
    return this.#againAt;
  }

  get isAny(): boolean {
    return this.#leaving > 0;
  }

  giveAway(now: number): void {
    this.#own.spendNow(now);
    this.#leaving += 1;
  }

  /** As many as are to be sent now. */
  send(): number {
    const sent = this.#leaving;
    this.#leaving = 0;
    return sent;
  }

  /** What there was no room for stays ours; soon somebody may have taken from there. */
  sent(left: number, now: number, beatUs: number): void {
    this.#comeBack(left, now);
    this.#inVain = left === 0 ? 0 : Math.min(this.#inVain + 1, mostInVain);
    this.#againAt = now + this.#inVain * beatUs;
  }

  takeBack(now: number): void {
    this.#comeBack(this.send(), now);
  }

  #comeBack(turns: number, now: number): void {
    for (let turn = 0; turn < turns; turn += 1) this.#own.addTurn(now);
  }
}
