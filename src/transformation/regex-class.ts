/** Reads what matches one character: sets in brackets with union and intersection, \d, \p{…}, and escapes. */
import type { Cursor } from './cursor.ts';
import { fold, namedClass, shorthand } from './regex-characters.ts';
import type { CharacterTest, Flags } from './regex-syntax.ts';

/** `[a-z&&[^bc]]`: the parts between && are unions, the set is what all of them hold. */
export function readSet(cursor: Cursor, flags: Flags): CharacterTest {
  return cursor.nested(() => {
    cursor.expect('[');
    const negated = cursor.takes('^');
    const unions: CharacterTest[][] = [[]];
    for (let first = true; first || !cursor.takes(']'); first = false) {
      if (cursor.ended) cursor.fail('unclosed set');
      if (flags.comments) cursor.match(/\s*/);
      if (cursor.takes('&&')) unions.push([]);
      else unions.at(-1)?.push(readMember(cursor, flags));
    }
    const filled = unions.filter((union) => union.length > 0);
    const test: CharacterTest = (found) => filled.every((union) => union.some((member) => member(found)));
    return negated ? (found) => !test(found) : test;
  });
}

function readMember(cursor: Cursor, flags: Flags): CharacterTest {
  if (cursor.peek() === '[') return readSet(cursor, flags);
  if (cursor.peek() === '\\') {
    const short = readShorthand(cursor, flags);
    if (short) return short;
    if (cursor.takes('\\Q')) return readQuoted(cursor, flags);
  }
  const from = readCharacter(cursor);
  if (cursor.peek() !== '-' || cursor.peek(1) === ']' || cursor.peek(1) === '[' || cursor.peek(1) === '') {
    return fold((found) => found === from, flags);
  }
  cursor.at += 1;
  const to = readCharacter(cursor);
  if (to < from) cursor.fail('the range runs backwards');
  return fold((found) => found >= from && found <= to, flags);
}

function readQuoted(cursor: Cursor, flags: Flags): CharacterTest {
  const end = cursor.text.indexOf('\\E', cursor.at);
  if (end === -1) cursor.fail('unclosed quotation');
  const quoted = new Set(Array.from(cursor.text.slice(cursor.at, end), (sign) => sign.codePointAt(0)));
  cursor.at = end + 2;
  return fold((found) => quoted.has(found), flags);
}

function readCharacter(cursor: Cursor): number {
  if (cursor.peek() === '\\') return readEscapedCharacter(cursor);
  const codePoint = cursor.text.codePointAt(cursor.at);
  if (codePoint === undefined) return cursor.fail('unclosed set');
  cursor.at += codePoint > 0xffff ? 2 : 1;
  return codePoint;
}

/** \d and its like, \p{…} and \P{…}; the cursor stays where it is when it is something else. */
export function readShorthand(cursor: Cursor, flags: Flags): CharacterTest | undefined {
  const letter = cursor.peek(1);
  if (letter === 'p' || letter === 'P') return readProperty(cursor, letter === 'P', flags);
  const test = /[dDwWsShHvV]/.test(letter) ? shorthand(letter, flags) : undefined;
  if (test) cursor.at += 2;
  return test;
}

function readProperty(cursor: Cursor, negated: boolean, flags: Flags): CharacterTest {
  const start = cursor.at;
  cursor.at += 2;
  const name = cursor.peek() === '{' ? cursor.match(/\{[^}]*\}/).slice(1, -1) : cursor.match(/\w/);
  const test = namedClass(name.replace(/^\^/, ''), flags);
  if (!test) {
    cursor.at = start;
    return cursor.fail('unknown character class');
  }
  const folded = fold(test, flags);
  return negated !== name.startsWith('^') ? (found) => !folded(found) : folded;
}

const controls: Readonly<Record<string, number>> = { t: 9, n: 10, r: 13, f: 12, a: 7, e: 27 };

/** A backslash and what it stands for, as a code point. */
export function readEscapedCharacter(cursor: Cursor): number {
  cursor.expect('\\');
  const numeric = cursor.match(
    /x[\da-fA-F]{2}|x\{[\da-fA-F]{1,6}\}|u[\da-fA-F]{4}(?:\\u[\da-fA-F]{4})?|0[0-3]?[0-7]{1,2}|c[^]/,
  );
  if (numeric !== '') return numericEscape(cursor, numeric);
  const codePoint = cursor.text.codePointAt(cursor.at);
  if (codePoint === undefined) return cursor.fail('a lone backslash');
  const letter = String.fromCodePoint(codePoint);
  cursor.at += letter.length;
  if (Object.hasOwn(controls, letter)) return controls[letter] ?? codePoint;
  if (/[A-Za-z]/.test(letter)) {
    cursor.at -= 2;
    return cursor.fail('unknown escape');
  }
  return codePoint;
}

function numericEscape(cursor: Cursor, text: string): number {
  if (text.startsWith('c')) return text.charCodeAt(1) ^ 64;
  if (text.startsWith('0')) return Number.parseInt(text, 8);
  if (text.startsWith('x')) {
    const codePoint = Number.parseInt(text.replaceAll(/[x{}]/g, ''), 16);
    return codePoint > 0x10ffff ? cursor.fail('no such character') : codePoint;
  }
  const units = text.split('\\').map((part) => Number.parseInt(part.slice(1), 16));
  const codePoint = String.fromCharCode(...units).codePointAt(0) ?? 0;
  // Two \u that are not a surrogate pair are two characters: give the second one back.
  if (units.length === 2 && codePoint <= 0xffff) cursor.at -= 6;
  return codePoint;
}
