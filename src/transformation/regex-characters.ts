/** Tests on single characters: letter case, line ends, and the classes that have a name in Java. */
import type { CharacterTest, Flags } from './regex-syntax.ts';

export function literal(codePoint: number, flags: Flags): CharacterTest {
  return fold((found) => found === codePoint, flags);
}

/** Java folds ASCII only, unless (?u) asks for more. */
export function fold(test: CharacterTest, flags: Flags): CharacterTest {
  if (!flags.ignoreCase) return test;
  const cases = flags.unicodeCase ? unicodeCases : asciiCases;
  return (found) => test(found) || cases(found).some(test);
}

function asciiCases(found: number): number[] {
  if (found >= 65 && found <= 90) return [found + 32];
  return found >= 97 && found <= 122 ? [found - 32] : [];
}

function unicodeCases(found: number): number[] {
  const text = String.fromCodePoint(found);
  const upper = text.toUpperCase();
  const forms = [upper, text.toLowerCase(), upper.toLowerCase()];
  return (
    forms
      .map((other) => other.codePointAt(0) ?? found)
      // Java folds to single characters only, never to "SS".
      .filter((other, at) => String.fromCodePoint(other) === forms[at])
  );
}

const lineEnds: ReadonlySet<number> = new Set([10, 13, 0x85, 0x2028, 0x2029]);

export function isLineEnd(found: number, flags: Flags): boolean {
  return flags.unixLines ? found === 10 : lineEnds.has(found);
}

export function notLineEnd(flags: Flags): CharacterTest {
  return (found) => !isLineEnd(found, flags);
}

/** The engine of JavaScript is only ever asked about one character, which cannot hang. */
function unicode(expression: string): CharacterTest {
  const pattern = new RegExp(`^${expression}$`, 'u');
  return (found) => pattern.test(String.fromCodePoint(found));
}

/** Shorthands such as \d; a capital letter means the opposite. */
const shorthands: Readonly<Record<string, readonly [ascii: string, unicode: string]>> = {
  d: ['[0-9]', '\\p{Nd}'],
  w: ['[a-zA-Z_0-9]', '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]'],
  s: ['[ \\t\\n\\v\\f\\r]', '\\p{White_Space}'],
  h: ['[ \\t\\u00a0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000]', ''],
  v: ['[\\n\\v\\f\\r\\u0085\\u2028\\u2029]', ''],
};

export function shorthand(letter: string, flags: Flags): CharacterTest | undefined {
  const lower = letter.toLowerCase();
  const [ascii, wide] = (Object.hasOwn(shorthands, lower) && shorthands[lower]) || [];
  if (ascii === undefined) return undefined;
  const test = unicode(flags.unicodeClasses && wide ? wide : ascii);
  return letter === lower ? test : (found) => !test(found);
}

export function isWord(found: number, flags: Flags): boolean {
  return shorthand('w', flags)?.(found) ?? false;
}

/** POSIX and java.lang.Character classes: [plain, under (?U)]. */
const named: Readonly<Record<string, readonly [string, string?]>> = {
  Lower: ['[a-z]', '\\p{Lowercase}'],
  Upper: ['[A-Z]', '\\p{Uppercase}'],
  ASCII: ['[\\0-\\x7f]'],
  Alpha: ['[a-zA-Z]', '\\p{Alphabetic}'],
  Digit: ['[0-9]', '\\p{Nd}'],
  Alnum: ['[a-zA-Z0-9]', '[\\p{Alphabetic}\\p{Nd}]'],
  Punct: ['[!-\\/:-@\\[-`\\{-~]', '\\p{P}'],
  Graph: ['[!-~]', '[^\\p{White_Space}\\p{Cc}\\p{Cs}\\p{Cn}]'],
  Print: ['[ -~]', '[^\\p{Cc}\\p{Cs}\\p{Cn}]'],
  Blank: ['[ \\t]', '[\\p{Zs}\\t]'],
  Cntrl: ['[\\0-\\x1f\\x7f]', '\\p{Cc}'],
  XDigit: ['[0-9a-fA-F]', '[\\p{Nd}\\p{Hex_Digit}]'],
  Space: ['[ \\t\\n\\v\\f\\r]', '\\p{White_Space}'],
  L1: ['[\\0-\\xff]'],
  LC: ['[\\p{Lu}\\p{Ll}\\p{Lt}]'],
  LD: ['[\\p{L}\\p{Nd}]'],
  all: ['[^]'],
  javaLowerCase: ['\\p{Lowercase}'],
  javaUpperCase: ['\\p{Uppercase}'],
  javaTitleCase: ['\\p{Lt}'],
  javaAlphabetic: ['\\p{Alphabetic}'],
  javaLetter: ['\\p{L}'],
  javaDigit: ['\\p{Nd}'],
  javaLetterOrDigit: ['[\\p{L}\\p{Nd}]'],
  javaWhitespace: ['[\\t-\\r\\x1c-\\x1f\\u1680\\u2000-\\u2006\\u2008-\\u200a\\u2028\\u2029\\u205f\\u3000 ]'],
  javaSpaceChar: ['\\p{Z}'],
  javaISOControl: ['\\p{Cc}'],
  javaMirrored: ['\\p{Bidi_Mirrored}'],
  IsLetter: ['\\p{L}'],
  IsDigit: ['\\p{Nd}'],
  IsPunctuation: ['\\p{P}'],
  IsControl: ['\\p{Cc}'],
  IsTitlecase: ['\\p{Lt}'],
  IsAssigned: ['[^\\p{Cn}]'],
  IsNoncharacter_Code_Point: ['\\p{Noncharacter_Code_Point}'],
  IsWhiteSpace: ['\\p{White_Space}'],
};

/** The class behind \p{name}, or undefined when there is none. */
export function namedClass(name: string, flags: Flags): CharacterTest | undefined {
  const known = Object.hasOwn(named, name) ? named[name] : undefined;
  if (known) return unicode((flags.unicodeClasses && known[1]) || known[0]);
  const bare = /^(?:Is|script=|sc=|general_category=|gc=)?(\w+)$/.exec(name)?.[1];
  if (bare === undefined) return undefined;
  const candidates = [`\\p{${bare}}`, `\\p{Script=${titled(bare)}}`, `\\p{${titled(bare)}}`];
  for (const candidate of candidates) {
    try {
      return unicode(candidate);
    } catch {
      // Not a name under this reading; the next one may be.
    }
  }
  return undefined;
}

/** Java takes the names of scripts and properties in any case. */
function titled(name: string): string {
  return name.toLowerCase().replaceAll(/(?:^|_)[a-z]/g, (start) => start.toUpperCase());
}
