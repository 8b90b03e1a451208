/** What replicas exchange with the pool of lent turns, wherever it is kept; redis-pool.ts keeps it in Redis. */
import type { Need } from './queue.ts';

export interface Pool {
  /** False while it is known that an exchange would not even be tried. */
  readonly isOpen: boolean;
  /** Undefined when no answer came; then it may have been carried out all the same, also later. */
  exchange(request: PoolRequest): Promise<PoolReply | undefined>;
}

export interface PoolRequest {
  /** How many turns may lie in the pool; those of another room are not ours. */
  readonly room: number;
  readonly lends: number;
  /** At most. */
  readonly takes: number;
  /** Nobody shall have a turn for so long, and what was lent is gone; 0 says nothing. */
  readonly pauseMs: number;
  /** After a silence: what lies there may be from before it, and is gone. */
  readonly begins: boolean;
  /** The most urgent calls that wait here, and for how long this shall be known. */
  readonly waits?: (Need & { readonly ms: number }) | undefined;
}

export interface PoolReply {
  /** Less than was to be, where there was no room. */
  readonly lent: number;
  readonly taken: number;
  /** For how long nobody shall have a turn. */
  readonly pauseMs: number;
  /** The most urgent calls that wait at another replica. */
  readonly elsewhere?: Need | undefined;
}
