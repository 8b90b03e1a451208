/** What replicas exchange about their common account, wherever it is kept; redis-pool.ts keeps it in Redis. */

/** The common account and its members, wherever they are kept. */
export interface Pool {
  /** False while it is known that an exchange would not even be tried. */
  readonly isOpen: boolean;
  /** Undefined when no answer came; then it may have been carried out all the same, also later. */
  exchange(request: PoolRequest): Promise<PoolReply | undefined>;
  /** Drops an account that says what cannot be. */
  forget(): Promise<void>;
}

/** Lengths and instants in microseconds. */
export interface PoolRequest {
  /** For how long we count as a member from now. */
  readonly leaseUs: number;
  /** How far ahead of now an account begins that is not there. */
  readonly startUs: number;
  /** Up to where the account is spent at least, by the pool's clock. */
  readonly spentAtLeast: number;
  /** How much of the account's time we take. */
  readonly costUs: number;
}

export interface PoolReply {
  /** By the pool's clock, rounded down to milliseconds. */
  readonly now: number;
  /** The end of what we have taken, and of all that was taken before. */
  readonly spentUntil: number;
  /** Until when each member counts. */
  readonly membersUntil: readonly number[];
}
