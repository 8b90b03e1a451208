/**
 * What replicas tell each other of callers with quirks: values noted under names. They are hints that end by themselves;
 * whoever gets no answer goes by what it has seen itself.
 */
export interface Noted {
  readonly name: string;
  readonly value: string;
}

export interface Notes {
  /** Whether all replicas can read them from now on; false too when that takes too long. Never rejects. */
  add(notes: readonly Noted[], lifetimeMs: number): Promise<boolean>;
  /** What is noted under each of the names; undefined when nobody can be asked. Never rejects. */
  read(names: readonly string[]): Promise<readonly (readonly string[])[] | undefined>;
}

/** Of a gateway that runs alone. */
export const noNotes: Notes = { add: async () => true, read: async () => undefined };
