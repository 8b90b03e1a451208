/** What replicas exchange with the pool of lent turns, wherever it is kept; redis-pool.ts keeps it in Redis. */

export interface Pool {
  /** False while it is known that an exchange would not even be tried. */
  readonly isOpen: boolean;
  /** Undefined when no answer came; then it may have been carried out all the same, also later. */
  exchange(request: PoolRequest): Promise<PoolReply | undefined>;
}

export interface PoolRequest {
  /** How many turns may lie in the pool; those of another room are not ours. */
  readonly room: number;
  readonly lends: 0 | 1;
  /** At most. */
  readonly takes: number;
  /** Nobody shall have a turn for so long, and what was lent is gone; 0 says nothing. */
  readonly pauseMs: number;
  /** After a silence: what lies there may be from before it, and is gone. */
  readonly begins: boolean;
}

export interface PoolReply {
  /** False: there was no room, or nothing was lent. */
  readonly isLent: boolean;
  readonly taken: number;
  /** For how long nobody shall have a turn. */
  readonly pauseMs: number;
}
