/**
 * What a board is written on, in the process or in Redis. The invariant: what was insisted on is in every later answer, or there
 * is none.
 */

/** Longer than any edition is in force; a board that nobody touches ends, and what is kept beside it. */
export const boardLifetimeMs = 26 * 60 * 60_000;
/** The member whose score counts the builds. */
export const fence = 'fence';

/** Where a board stands: sets of text with scores, and named bytes. What cannot be said or done now is undefined or false. */
export interface Slate {
  readonly key: string;
  read(): Promise<Written | undefined>;
  /** Adds for certain: what cannot be added now is made up before `read` answers again. */
  insist(members: readonly string[], score: number): Promise<void>;
  /** Adds one member, then takes others away. */
  exchange(member: string, score: number, gone: readonly string[]): Promise<boolean>;
  /**
   * Adds a mark, takes others away, and gives a number greater than all before, which then is the score of `fence`. An epoch
   * begins if there is none.
   */
  next(mark: string, gone: readonly string[]): Promise<number | undefined>;
  put(name: string, bytes: Buffer, lifetimeMs: number): Promise<boolean>;
  get(name: string): Promise<Buffer | 'lost' | undefined>;
  drop(names: readonly string[]): Promise<void>;
  /** Whether this process may build for so long; nobody else may then. Undefined while nobody can say. */
  lease(ms: number): Promise<boolean | undefined>;
}

export type Members = readonly (readonly [member: string, score: number])[];

export interface Written {
  readonly members: Members;
  /** Of which all editions are that may be shown (redis-epochs.ts). */
  readonly epoch: string | undefined;
}
