/** Parses the syntax of java.util.regex.Pattern. What Java refuses or we do not know is a SyntaxFault. */
import { Cursor } from './cursor.ts';
import { literal, notLineEnd } from './regex-characters.ts';
import { readEscapedCharacter, readSet, readShorthand } from './regex-class.ts';
import { noFlags, withFlags } from './regex-flags.ts';
import type { Flags, Node, Place, Regex } from './regex-syntax.ts';

const longest = 10_000;
const mostRepeats = 1000;

export function parseRegex(source: string, flags: string): Regex {
  const parser = new Parser(source, withFlags(noFlags, flags, true));
  return parser.parse();
}

class Parser {
  readonly #cursor: Cursor;
  #flags: Flags;
  #groupCount = 0;
  #hasReference = false;
  readonly #names = new Map<string, number>();

  constructor(source: string, flags: Flags) {
    this.#cursor = new Cursor(source);
    this.#flags = flags;
  }

  parse(): Regex {
    if (this.#cursor.text.length > longest) this.#cursor.fail('the regular expression is too long');
    const root = this.#choice();
    if (!this.#cursor.ended) this.#cursor.fail('unmatched )');
    return { root, groupCount: this.#groupCount, hasReference: this.#hasReference };
  }

  #choice(): Node {
    const before = this.#flags;
    const parts = [this.#sequence()];
    while (this.#cursor.takes('|')) parts.push(this.#sequence());
    this.#flags = before;
    const [only] = parts;
    return parts.length === 1 && only ? only : { kind: 'choice', parts };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    while (!this.#skipComments().ended && this.#cursor.peek() !== '|' && this.#cursor.peek() !== ')') {
      const part = this.#atom();
      if (part) parts.push(this.#repeated(part));
    }
    return { kind: 'sequence', parts };
  }

  #skipComments(): Cursor {
    if (this.#flags.comments) this.#cursor.match(/(?:\s|#[^\n]*)*/);
    return this.#cursor;
  }

  /** Undefined when it was only a change of flags. */
  #atom(): Node | undefined {
    const cursor = this.#cursor;
    const next = cursor.peek();
    if (next === '(') return cursor.nested(() => this.#parenthesis());
    if (next === '[') return { kind: 'character', test: readSet(cursor, this.#flags) };
    if (next === '\\') return this.#escape();
    if ('*+?'.includes(next)) cursor.fail('nothing to repeat');
    if (next === '{') cursor.fail('illegal repetition');
    const codePoint = cursor.text.codePointAt(cursor.at) ?? 0;
    cursor.at += codePoint > 0xffff ? 2 : 1;
    if (next === '.')
      return { kind: 'character', test: this.#flags.dotAll ? () => true : notLineEnd(this.#flags) };
    if (next === '^') return this.#place(this.#flags.multiline ? 'lineStart' : 'textStart');
    if (next === '$') return this.#place(this.#flags.multiline ? 'lineEnd' : 'beforeLast');
    return { kind: 'character', test: literal(codePoint, this.#flags) };
  }

  #place(place: Place): Node {
    return { kind: 'place', place, flags: this.#flags };
  }

  #repeated(part: Node): Node {
    let node = part;
    for (;;) {
      const bounds = this.#bounds();
      if (!bounds) return node;
      const [least, most] = bounds;
      const possessive = this.#cursor.takes('+');
      const lazy = !possessive && this.#cursor.takes('?');
      node = { kind: 'repeat', part: node, least, most, lazy };
      if (possessive) node = { kind: 'atomic', part: node };
    }
  }

  #bounds(): readonly [number, number] | undefined {
    const cursor = this.#skipComments();
    if (cursor.takes('*')) return [0, Infinity];
    if (cursor.takes('+')) return [1, Infinity];
    if (cursor.takes('?')) return [0, 1];
    if (cursor.peek() !== '{') return undefined;
    const found = /^\{(\d+)(,(\d*))?\}$/.exec(cursor.match(/\{[^}]*\}/));
    if (!found) return cursor.fail('illegal repetition');
    const least = Number(found[1]);
    const most = found[2] === undefined ? least : found[3] === '' ? Infinity : Number(found[3]);
    if (most < least || least > mostRepeats || (most !== Infinity && most > mostRepeats))
      cursor.fail('illegal repetition');
    return [least, most];
  }

  #parenthesis(): Node | undefined {
    const cursor = this.#cursor;
    cursor.expect('(');
    if (!cursor.takes('?')) return this.#capture();
    if (cursor.takes(':')) return this.#rest();
    if (cursor.takes('>')) return { kind: 'atomic', part: this.#rest() };
    for (const [sign, behind, negative] of looks) {
      if (cursor.takes(sign)) return { kind: 'look', part: this.#rest(), behind, negative };
    }
    if (cursor.takes('<')) {
      const name = cursor.match(/[A-Za-z][A-Za-z0-9]*/);
      cursor.expect('>');
      if (name === '' || this.#names.has(name)) cursor.fail('a group needs a name of its own');
      this.#names.set(name, this.#groupCount + 1);
      return this.#capture();
    }
    return this.#flagGroup();
  }

  #capture(): Node {
    this.#groupCount += 1;
    const index = this.#groupCount;
    return { kind: 'group', index, part: this.#rest() };
  }

  #rest(): Node {
    const part = this.#choice();
    if (!this.#cursor.takes(')')) this.#cursor.fail('unclosed group');
    return part;
  }

  /** `(?i)` holds to the end of the enclosing group, `(?i:…)` inside its own. */
  #flagGroup(): Node | undefined {
    const cursor = this.#cursor;
    const on = cursor.match(/[idmsuxU]*/);
    const off = cursor.takes('-') ? cursor.match(/[idmsuxU]*/) : '';
    const flags = withFlags(withFlags(this.#flags, on, true), off, false);
    if (cursor.takes(')')) {
      this.#flags = flags;
      return undefined;
    }
    if (!cursor.takes(':')) cursor.fail('unknown group');
    const before = this.#flags;
    this.#flags = flags;
    const part = this.#rest();
    this.#flags = before;
    return part;
  }

  #escape(): Node {
    const cursor = this.#cursor;
    if (cursor.takes('\\Q')) return this.#quotation();
    const [sign = ''] = cursor.match(/\\[AbBGzZ]/).slice(1);
    const place = Object.hasOwn(places, sign) ? places[sign] : undefined;
    if (place) return this.#place(place);
    if (cursor.takes('\\R')) return lineBreak;
    if (cursor.takes('\\k<')) return this.#named();
    if (/[1-9]/.test(cursor.peek(1))) return this.#numbered();
    const shorthand = readShorthand(cursor, this.#flags);
    if (shorthand) return { kind: 'character', test: shorthand };
    return { kind: 'character', test: literal(readEscapedCharacter(cursor), this.#flags) };
  }

  /** Everything up to \E as it stands; a quantifier after it means its last character. */
  #quotation(): Node {
    const cursor = this.#cursor;
    const end = cursor.text.indexOf('\\E', cursor.at);
    const text = cursor.text.slice(cursor.at, end === -1 ? undefined : end);
    cursor.at = end === -1 ? cursor.text.length : end + 2;
    const parts: Node[] = Array.from(text, (sign) => ({
      kind: 'character',
      test: literal(sign.codePointAt(0) ?? 0, this.#flags),
    }));
    const last = parts.pop();
    return { kind: 'sequence', parts: last ? [...parts, this.#repeated(last)] : [] };
  }

  #named(): Node {
    const name = this.#cursor.match(/[A-Za-z0-9]+/);
    this.#cursor.expect('>');
    const index = this.#names.get(name);
    return index === undefined ? this.#cursor.fail(`unknown group ${name}`) : this.#reference(index);
  }

  /** As many digits as make a group that exists so far, at least one. */
  #numbered(): Node {
    this.#cursor.expect('\\');
    let index = Number(this.#cursor.match(/\d/));
    while (/\d/.test(this.#cursor.peek()) && index * 10 + Number(this.#cursor.peek()) <= this.#groupCount) {
      index = index * 10 + Number(this.#cursor.match(/\d/));
    }
    return this.#reference(index);
  }

  #reference(index: number): Node {
    this.#hasReference = true;
    return { kind: 'reference', index, flags: this.#flags };
  }
}

const looks = [
  ['=', false, false],
  ['!', false, true],
  ['<=', true, false],
  ['<!', true, true],
] as const;

const places: Readonly<Record<string, Place>> = {
  A: 'textStart',
  b: 'boundary',
  B: 'noBoundary',
  G: 'searchStart',
  z: 'textEnd',
  Z: 'beforeLast',
};

const character = (codePoint: number): Node => ({ kind: 'character', test: (found) => found === codePoint });

const lineBreak: Node = {
  kind: 'choice',
  parts: [
    { kind: 'sequence', parts: [character(13), character(10)] },
    {
      kind: 'character',
      test: (found) => (found >= 10 && found <= 13) || [0x85, 0x2028, 0x2029].includes(found),
    },
  ],
};
