/**
 * A bound on the work that one run may do, shared by all its paths and regular expressions.
 * Whoever walks or matches must spend; that is why a hostile transformation ends instead of hanging.
 */

/** About a second of work, and more for large documents, so that going through them is always possible. */
const allowance = { base: 20_000_000, perValue: 500 };

export class Effort {
  #left: number;

  constructor(steps = allowance.base) {
    this.#left = steps;
  }

  /** @param size the number of values in the input */
  static for(size: number): Effort {
    return new Effort(allowance.base + allowance.perValue * size);
  }

  spend(steps = 1): void {
    this.#left -= steps;
    if (this.#left < 0) throw new RunFault('the work allowed for one entity is used up');
  }
}

/** Something in one mapping cannot be done with this input; the entity fails, not the process. */
export class RunFault extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'RunFault';
  }
}
