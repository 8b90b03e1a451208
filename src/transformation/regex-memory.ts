/** What the matcher keeps while it tries: the ways still open, and the states it must not enter a second time. */
import { RunFault } from './effort.ts';
import type { Program } from './regex-program.ts';

/** States to remember, one bit each: 16 MiB. */
const mostStates = 2 ** 27;

export type State = readonly [at: number, position: number];

/** What is still to be tried, and which slots have to be put back before. */
export class Backlog {
  readonly #entries: number[] = [];
  readonly #slots: number[];

  constructor(slots: number[]) {
    this.#slots = slots;
  }

  later(at: number, position: number): void {
    this.#entries.push(at, position);
  }

  save(slot: number, position: number): void {
    // A negative first number marks a slot and its former value.
    this.#entries.push(-1 - slot, this.#slots[slot] ?? -1);
    this.#slots[slot] = position;
  }

  resume(): State | undefined {
    for (;;) {
      const position = this.#entries.pop();
      const at = this.#entries.pop();
      if (position === undefined || at === undefined) return undefined;
      if (at >= 0) return [at, position];
      this.#slots[-1 - at] = position;
    }
  }
}

/** The states that were entered: a set of bits, or of numbers where only few are expected. */
export class Remembered {
  readonly #width: number;
  readonly #bits: Uint8Array | undefined;
  readonly #few = new Set<number>();
  readonly #remembers: boolean;

  constructor(program: Program, text: string, few = false) {
    this.#width = text.length + 1;
    this.#remembers = program.remembers;
    const states = program.code.length * this.#width;
    if (states > mostStates) throw new RunFault('the text is too long for this regular expression');
    this.#bits = program.remembers && !few ? new Uint8Array((states >> 3) + 1) : undefined;
  }

  /** Whether the state was entered before; from now on it was. */
  entered(at: number, position: number): boolean {
    if (!this.#remembers) return false;
    const state = at * this.#width + position;
    if (!this.#bits) {
      const known = this.#few.has(state);
      this.#few.add(state);
      return known;
    }
    const mask = 1 << (state & 7);
    const byte = this.#bits[state >> 3] ?? 0;
    this.#bits[state >> 3] = byte | mask;
    return (byte & mask) !== 0;
  }
}
