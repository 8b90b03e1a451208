/**
 * What is remembered of groups for a short while: who has read them, who has written them, in which order. The order is
 * that of one clock for each system that every write of a group advances when it begins and when it ends; names are digests.
 */
/** Digests of a system, a group in it and a caller. */
export interface Place {
  readonly system: string;
  readonly group: string;
  readonly caller: string;
}

/** The clock, and how often writes of the group have begun and ended. */
export interface Moment {
  readonly clock: number;
  readonly generation: number;
}

/** A copy that a caller was told and has not written back yet. */
export interface Copy {
  readonly id: string;
  /** It may lack what ended after this time. */
  readonly clock: number;
}

export interface Addition {
  readonly id: string;
  readonly caller: string;
  /** Digests of members. */
  readonly members: readonly string[];
  /** Infinity while it is not known to have ended. */
  readonly clock: number;
}

/** Members that the group had when it was at this generation; it may have had more. */
export interface Known {
  readonly generation: number;
  readonly members: readonly string[];
}

export interface Beginning extends Moment {
  readonly known: Known | undefined;
  /** Of this caller, the oldest first. */
  readonly copies: readonly Copy[];
  /** Whether another write of the group has begun and not ended. */
  readonly isShared: boolean;
}

/** Each answers undefined when the book cannot be asked. */
export interface Book {
  look(system: string, group: string | undefined): Promise<Moment | undefined>;
  tell(place: Place, copy: Copy, known: Known | undefined): Promise<void>;
  begin(place: Place): Promise<Beginning | undefined>;
  /** Enters an addition that begins, and tells those of others that ended after `since` or have not ended. */
  enter(place: Place, addition: Addition, since: number, forMs: number): Promise<Addition[] | undefined>;
  /** The write has ended; tells the additions of others that had not ended at `since`. */
  end(place: Place, since: number): Promise<(Moment & { readonly others: Addition[] }) | undefined>;
  /** What became of it: its addition, the copy that it was made of, and the members that it left behind. */
  settle(place: Place, ended: Settlement): Promise<void>;
}

export interface Settlement {
  readonly entered: Addition;
  /** Absent where nothing was added. */
  readonly addition?: Addition;
  readonly copy?: Copy;
  readonly known?: Known;
}

/** How long copies and additions count. */
export const spanMs = 120_000;
