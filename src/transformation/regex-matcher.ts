/**
 * Runs a program on one text, trying alternatives in Java's order. A state that was left once has failed for
 * good and is not entered again (unless groups are referred to), so the time is linear; every step is paid for.
 */
import type { Effort } from './effort.ts';
import { isLineEnd, isWord } from './regex-characters.ts';
import { Backlog, Remembered, type State } from './regex-memory.ts';
import type { Instruction, Program } from './regex-program.ts';
import type { CharacterTest } from './regex-syntax.ts';
import type { Match } from './regex.ts';

export class Matcher {
  readonly #program: Program;
  readonly #text: string;
  readonly #effort: Effort;
  #slots: number[];
  #searchStart = 0;

  constructor(program: Program, text: string, effort: Effort) {
    this.#program = program;
    this.#text = text;
    this.#effort = effort;
    this.#slots = [];
  }

  matchWhole(): Match | undefined {
    const end = this.#attempt(0, new Remembered(this.#program, this.#text), (at) => at === this.#text.length);
    return end === undefined ? undefined : this.#match(0, end);
  }

  find(from: number): Match | undefined {
    this.#searchStart = from;
    const remembered = new Remembered(this.#program, this.#text);
    for (let start = from; start <= this.#text.length; start += 1) {
      const end = this.#attempt(start, remembered, anywhere);
      if (end !== undefined) return this.#match(start, end);
      if (isHighSurrogate(this.#text, start)) start += 1;
    }
    return undefined;
  }

  #attempt(start: number, remembered: Remembered, accepts: (end: number) => boolean): number | undefined {
    this.#slots = Array.from({ length: this.#program.slotCount }, () => -1);
    return this.#run(this.#program, start, remembered, accepts);
  }

  #match(start: number, end: number): Match {
    const groups = Array.from({ length: this.#program.groupCount + 1 }, (_, index) => {
      const [from = -1, to = -1] = index === 0 ? [start, end] : this.#slots.slice(index * 2, index * 2 + 2);
      return from < 0 || to < 0 ? undefined : this.#text.slice(from, to);
    });
    return { start, end, groups };
  }

  /** Where the program ends when it starts at `start`; the slots then hold its groups. */
  #run(
    program: Program,
    start: number,
    remembered: Remembered,
    accepts: (end: number) => boolean,
  ): number | undefined {
    const backlog = new Backlog(this.#slots);
    let [at, position] = [0, start];
    for (;;) {
      this.#effort.spend();
      const instruction = program.code[at];
      if (instruction?.kind === 'done' && accepts(position)) return position;
      const next = instruction ? this.#step(instruction, at, position, backlog, remembered) : undefined;
      const resumed = next ?? backlog.resume();
      if (!resumed) return undefined;
      [at, position] = resumed;
    }
  }

  /** The state after one instruction, or undefined when it fails. */
  #step(
    instruction: Instruction,
    at: number,
    position: number,
    backlog: Backlog,
    remembered: Remembered,
  ): State | undefined {
    switch (instruction.kind) {
      case 'character':
        return this.#character(instruction.test, at, position);
      case 'jump':
        return [instruction.to, position];
      case 'split':
        if (remembered.entered(at, position)) return undefined;
        backlog.later(instruction.second, position);
        return [instruction.first, position];
      case 'save':
        backlog.save(instruction.slot, position);
        return [at + 1, position];
      case 'progress':
        return this.#slots[instruction.slot] === position ? [instruction.to, position] : [at + 1, position];
      case 'place':
        return this.#isAt(instruction, position) ? [at + 1, position] : undefined;
      case 'reference':
        return this.#reference(instruction, at, position);
      case 'atomic': {
        const end = this.#inside(instruction.inner, position, backlog);
        return end === undefined ? undefined : [at + 1, end];
      }
      case 'look':
        return this.#looks(instruction, position, backlog) ? [at + 1, position] : undefined;
      case 'done':
        return undefined;
    }
  }

  #character(test: CharacterTest, at: number, position: number): State | undefined {
    const found = this.#text.codePointAt(position);
    if (found === undefined || !test(found)) return undefined;
    return [at + 1, position + (found > 0xffff ? 2 : 1)];
  }

  /** Runs a part on its own: once it has matched, its other ways are gone, but its groups stay. */
  #inside(
    inner: Program,
    start: number,
    backlog: Backlog,
    accepts: (end: number) => boolean = anywhere,
  ): number | undefined {
    const before = [...this.#slots];
    const end = this.#run(inner, start, new Remembered(inner, this.#text, true), accepts);
    const after = [...this.#slots];
    for (const [slot, value] of before.entries()) this.#slots[slot] = value;
    if (end === undefined) return undefined;
    for (const [slot, value] of after.entries()) if (value !== before[slot]) backlog.save(slot, value);
    return end;
  }

  #looks(look: Instruction & { kind: 'look' }, position: number, backlog: Backlog): boolean {
    const seen = look.behind
      ? this.#seenBehind(look.inner, position, backlog)
      : this.#inside(look.inner, position, backlog);
    return (seen !== undefined) !== look.negative;
  }

  #seenBehind(inner: Program, position: number, backlog: Backlog): number | undefined {
    for (let start = position; start >= 0; start -= 1) {
      const end = this.#inside(inner, start, backlog, (reached) => reached === position);
      if (end !== undefined) return end;
    }
    return undefined;
  }

  #reference(
    { index, flags }: Instruction & { kind: 'reference' },
    at: number,
    position: number,
  ): State | undefined {
    const [from = -1, to = -1] = this.#slots.slice(index * 2, index * 2 + 2);
    if (from < 0 || to < 0 || index * 2 + 1 >= this.#slots.length) return undefined;
    const wanted = this.#text.slice(from, to);
    const found = this.#text.slice(position, position + wanted.length);
    this.#effort.spend(wanted.length);
    const alike = flags.ignoreCase ? found.toLowerCase() === wanted.toLowerCase() : found === wanted;
    return alike ? [at + 1, position + wanted.length] : undefined;
  }

  #isAt({ place, flags }: Instruction & { kind: 'place' }, position: number): boolean {
    const text = this.#text;
    const endsLine = (index: number): boolean =>
      index < text.length && isLineEnd(text.charCodeAt(index), flags);
    const insidePair = !flags.unixLines && text[position - 1] === '\r' && text[position] === '\n';
    switch (place) {
      case 'textStart':
        return position === 0;
      case 'textEnd':
        return position === text.length;
      case 'searchStart':
        return position === this.#searchStart;
      case 'lineStart':
        return position === 0 || (position < text.length && endsLine(position - 1) && !insidePair);
      case 'lineEnd':
        return position === text.length || (endsLine(position) && !insidePair);
      case 'beforeLast': {
        const pair = !flags.unixLines && text.endsWith('\r\n') ? 2 : 1;
        return position === text.length || (position === text.length - pair && endsLine(position));
      }
      default: {
        const isWordAt = (index: number): boolean =>
          index >= 0 && index < text.length && isWord(text.charCodeAt(index), flags);
        return (isWordAt(position - 1) !== isWordAt(position)) === (place === 'boundary');
      }
    }
  }
}

function anywhere(): boolean {
  return true;
}

function isHighSurrogate(text: string, at: number): boolean {
  return (text.codePointAt(at) ?? 0) > 0xffff;
}
