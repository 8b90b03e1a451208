/**
 * A parsed expression as instructions for the matcher. Counted repetitions are written out, so the size is
 * bounded here and a state of the matcher is just (instruction, position).
 */
import { SyntaxFault } from './cursor.ts';
import type { CharacterTest, Flags, Node, Place, Regex } from './regex-syntax.ts';

export type Instruction =
  | { readonly kind: 'character'; readonly test: CharacterTest }
  /** Goes on at `first`; at `second` if that fails. */
  | { readonly kind: 'split'; first: number; second: number }
  | { readonly kind: 'jump'; to: number }
  | { readonly kind: 'save'; readonly slot: number }
  | { readonly kind: 'place'; readonly place: Place; readonly flags: Flags }
  | { readonly kind: 'reference'; readonly index: number; readonly flags: Flags }
  | { readonly kind: 'atomic'; readonly inner: Program }
  | { readonly kind: 'look'; readonly inner: Program; readonly behind: boolean; readonly negative: boolean }
  /** Leaves a loop whose round took nothing; only needed where states are not remembered. */
  | { readonly kind: 'progress'; readonly slot: number; to: number }
  | { readonly kind: 'done' };

export interface Program {
  readonly code: readonly Instruction[];
  readonly groupCount: number;
  readonly slotCount: number;
  readonly remembers: boolean;
}

const mostInstructions = 20_000;

export function compileRegex(regex: Regex): Program {
  const budget = { left: mostInstructions, slots: (regex.groupCount + 1) * 2 };
  const code = new Compiler(regex, budget).compile(regex.root);
  return { code, groupCount: regex.groupCount, slotCount: budget.slots, remembers: !regex.hasReference };
}

interface Budget {
  left: number;
  slots: number;
}

class Compiler {
  readonly #code: Instruction[] = [];
  readonly #regex: Regex;
  readonly #budget: Budget;

  constructor(regex: Regex, budget: Budget) {
    this.#regex = regex;
    this.#budget = budget;
  }

  compile(root: Node): readonly Instruction[] {
    this.#add(root);
    this.#emit({ kind: 'done' });
    return this.#code;
  }

  #emit<I extends Instruction>(instruction: I): I {
    this.#budget.left -= 1;
    if (this.#budget.left < 0)
      throw new SyntaxFault('the regular expression is too large when its repetitions are written out');
    this.#code.push(instruction);
    return instruction;
  }

  get #next(): number {
    return this.#code.length;
  }

  #add(node: Node): void {
    switch (node.kind) {
      case 'character':
      case 'reference':
      case 'place':
        this.#emit(node);
        return;
      case 'sequence':
        for (const part of node.parts) this.#add(part);
        return;
      case 'choice':
        this.#choice(node.parts);
        return;
      case 'group':
        this.#emit({ kind: 'save', slot: node.index * 2 });
        this.#add(node.part);
        this.#emit({ kind: 'save', slot: node.index * 2 + 1 });
        return;
      case 'repeat':
        this.#repeat(node);
        return;
      case 'atomic':
        this.#emit({ kind: 'atomic', inner: this.#inner(node.part) });
        return;
      case 'look':
        if (node.behind && longestMatch(node.part) === Infinity) {
          throw new SyntaxFault('a look-behind needs an obvious maximum length');
        }
        this.#emit({
          kind: 'look',
          inner: this.#inner(node.part),
          behind: node.behind,
          negative: node.negative,
        });
    }
  }

  #inner(node: Node): Program {
    const code = new Compiler(this.#regex, this.#budget).compile(node);
    return { code, groupCount: this.#regex.groupCount, slotCount: 0, remembers: !this.#regex.hasReference };
  }

  #choice(parts: readonly Node[]): void {
    const jumps: { to: number }[] = [];
    for (const part of parts.slice(0, -1)) {
      const split = this.#emit({ kind: 'split', first: this.#next + 1, second: 0 });
      this.#add(part);
      jumps.push(this.#emit({ kind: 'jump', to: 0 }));
      split.second = this.#next;
    }
    for (const part of parts.slice(-1)) this.#add(part);
    for (const jump of jumps) jump.to = this.#next;
  }

  #repeat(node: Node & { kind: 'repeat' }): void {
    for (let round = 0; round < node.least; round += 1) this.#add(node.part);
    if (node.most === Infinity) {
      this.#loop(node);
      return;
    }
    const splits: Split[] = [];
    for (let round = node.least; round < node.most; round += 1) {
      splits.push(this.#split(node.lazy));
      this.#add(node.part);
    }
    for (const split of splits) this.#exit(split, node.lazy);
  }

  #loop(node: Node & { kind: 'repeat' }): void {
    const start = this.#next;
    const split = this.#split(node.lazy);
    const slot = this.#budget.slots;
    if (this.#regex.hasReference) {
      this.#budget.slots += 1;
      this.#emit({ kind: 'save', slot });
    }
    this.#add(node.part);
    const progress = this.#regex.hasReference ? this.#emit({ kind: 'progress', slot, to: 0 }) : undefined;
    this.#emit({ kind: 'jump', to: start });
    this.#exit(split, node.lazy);
    if (progress) progress.to = this.#next;
  }

  #split(lazy: boolean): Split {
    const body = this.#next + 1;
    return this.#emit(
      lazy ? { kind: 'split', first: 0, second: body } : { kind: 'split', first: body, second: 0 },
    );
  }

  #exit(split: Split, lazy: boolean): void {
    if (lazy) split.first = this.#next;
    else split.second = this.#next;
  }
}

type Split = Extract<Instruction, { kind: 'split' }>;

/** In UTF-16 units, for the look-behind. */
function longestMatch(node: Node): number {
  switch (node.kind) {
    case 'character':
      return 2;
    case 'sequence':
      return node.parts.reduce((total, part) => total + longestMatch(part), 0);
    case 'choice':
      return Math.max(...node.parts.map(longestMatch));
    case 'group':
    case 'atomic':
      return longestMatch(node.part);
    case 'repeat':
      return node.most === 0 ? 0 : longestMatch(node.part) * node.most;
    case 'reference':
      return Infinity;
    default:
      return 0;
  }
}
