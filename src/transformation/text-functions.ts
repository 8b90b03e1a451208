/** The functions on texts and regular expressions (facts: transformations 8.2). */
import { parsePath } from './condition-grammar.ts';
import { scopeOf } from './condition.ts';
import { SyntaxFault } from './cursor.ts';
import { RunFault } from './effort.ts';
import type { Path } from './expression.ts';
import { type Around, type FunctionKind, type Given, scalarText, type Work } from './function-kind.ts';
import { isArray, MISSING, textOf } from './json.ts';
import { read } from './path-reading.ts';
import { JavaRegex } from './regex.ts';

const text = { type: 'text' } as const;
const requiredText = { type: 'text', required: true } as const;
const requiredInteger = { type: 'integer', required: true } as const;

export const textFunctions = {
  concatString: {
    parameters: { prefix: text, suffix: text },
    prepare: (given) => {
      const prefix = textOrPath(given.text('prefix'));
      const suffix = textOrPath(given.text('suffix'));
      return (value, around) => prefix(around) + scalarText(value) + suffix(around);
    },
  },
  compositeId: {
    parameters: { separator: text, subId: requiredText },
    prepare: (given) => {
      const separator = given.text('separator', ':');
      const subId = textOrPath(given.text('subId'));
      return (value, around) => scalarText(value) + separator + subId(around);
    },
  },
  replaceString: {
    parameters: { target: requiredText, replacement: requiredText },
    prepare: (given) => {
      const target = given.text('target');
      const replacement = given.text('replacement');
      return (value) => scalarText(value).replaceAll(target, () => replacement);
    },
  },
  replaceFirstString: replacing('replaceFirst'),
  replaceLastString: replacing('replaceLast'),
  replaceAllString: replacing('replaceAll'),
  substring: {
    parameters: { beginIndex: requiredInteger, endIndex: { type: 'integer' } },
    prepare: substring,
  },
  toUpperCaseString: {
    parameters: { locale: text },
    prepare: (given) => {
      const locale = localeOf(given);
      return (value) => scalarText(value).toLocaleUpperCase(locale);
    },
  },
  toLowerCaseString: {
    parameters: { locale: text },
    prepare: (given) => {
      const locale = localeOf(given);
      return (value) => scalarText(value).toLocaleLowerCase(locale);
    },
  },
  splitStringToArray: {
    parameters: { separator: requiredText },
    prepare: (given) => {
      const separator = given.text('separator');
      return (value) => scalarText(value).split(separator);
    },
  },
  toString: { parameters: {}, prepare: () => scalarText },
  matchRegex: {
    parameters: { regex: requiredText },
    prepare: (given) => {
      const regex = new JavaRegex(given.text('regex'));
      return (value, { effort }) => regex.matches(scalarText(value), effort) !== undefined;
    },
  },
  getMatchedRegexGroup: {
    parameters: { regex: requiredText, groupIndex: requiredInteger, defaultValue: { type: 'any' } },
    prepare: matchedGroup,
  },
} as const satisfies Record<string, FunctionKind>;

function replacing(how: 'replaceFirst' | 'replaceLast' | 'replaceAll'): FunctionKind {
  return {
    parameters: { regex: requiredText, replacement: requiredText },
    prepare: (given) => {
      const regex = new JavaRegex(given.text('regex'));
      const replacement = given.text('replacement');
      return (value, { effort }) => regex[how](scalarText(value), replacement, effort);
    },
  };
}

function substring(given: Given): Work {
  const begin = given.integer('beginIndex');
  return (value) => {
    const whole = scalarText(value);
    const end = given.integer('endIndex', whole.length);
    // Java throws StringIndexOutOfBoundsException.
    if (begin < 0 || end > whole.length || begin > end) {
      throw new RunFault(`the text of ${whole.length} characters has none from ${begin} to ${end}`);
    }
    return whole.slice(begin, end);
  };
}

function matchedGroup(given: Given): Work {
  const regex = new JavaRegex(given.text('regex'));
  const index = given.integer('groupIndex');
  if (index < 0 || index > regex.groupCount)
    throw new SyntaxFault(`the regular expression has no group ${index}`);
  return (value, { effort }) => {
    const group = regex.matches(scalarText(value), effort)?.groups[index];
    if (group !== undefined) return group;
    return given.has('defaultValue') ? given.any('defaultValue') : MISSING;
  };
}

function localeOf(given: Given): string {
  try {
    return new Intl.Locale(given.text('locale', 'en_EN').replaceAll('_', '-')).toString();
  } catch {
    throw new SyntaxFault('locale is not a locale such as de_DE');
  }
}

/** `subId` may be a path into the input, and defaults use one as `suffix` too (facts: transformations 8.2). */
function textOrPath(given: string): (around: Around) => string {
  const path = /^\$[.[]/.test(given) ? pathOf(given) : undefined;
  return path ? (around) => textAt(path, given, around) : () => given;
}

function pathOf(given: string): Path | undefined {
  try {
    return parsePath(given);
  } catch (error) {
    if (error instanceof SyntaxFault) return undefined;
    throw error;
  }
}

function textAt(path: Path, given: string, around: Around): string {
  const found = read(path, scopeOf(around, around.input));
  const value =
    found !== MISSING && isArray(found) ? (found.length === 1 ? (found[0] ?? null) : MISSING) : found;
  if (value === MISSING || value === null) throw new RunFault(`there is no value at ${given}`);
  return textOf(value);
}
