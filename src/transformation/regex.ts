/**
 * java.util.regex as transformations use it, run by our own engine: JavaScript's RegExp has another syntax and
 * can hang the process. Without back references the time is linear in the text; always it costs effort.
 */
import { type Effort, RunFault } from './effort.ts';
import { parseRegex } from './regex-grammar.ts';
import { Matcher } from './regex-matcher.ts';
import { compileRegex, type Program } from './regex-program.ts';

export interface Match {
  readonly start: number;
  readonly end: number;
  /** Group 0 is the whole match; a group that took no part is undefined. */
  readonly groups: readonly (string | undefined)[];
}

export class JavaRegex {
  readonly groupCount: number;
  readonly #program: Program;

  constructor(source: string, flags = '') {
    const parsed = parseRegex(source, flags);
    this.groupCount = parsed.groupCount;
    this.#program = compileRegex(parsed);
  }

  /** The whole text has to match (Matcher.matches). */
  matches(text: string, effort: Effort): Match | undefined {
    return new Matcher(this.#program, text, effort).matchWhole();
  }

  /** The first match at or after `from` (Matcher.find). */
  find(text: string, from: number, effort: Effort): Match | undefined {
    return new Matcher(this.#program, text, effort).find(from);
  }

  replaceAll(text: string, replacement: string, effort: Effort): string {
    return splice(text, this.#all(text, effort), replacement);
  }

  replaceFirst(text: string, replacement: string, effort: Effort): string {
    const first = this.find(text, 0, effort);
    return splice(text, first ? [first] : [], replacement);
  }

  replaceLast(text: string, replacement: string, effort: Effort): string {
    return splice(text, this.#all(text, effort).slice(-1), replacement);
  }

  #all(text: string, effort: Effort): Match[] {
    const found: Match[] = [];
    let from = 0;
    while (from <= text.length) {
      const match = this.find(text, from, effort);
      if (!match) break;
      found.push(match);
      // As in Java, an empty match is followed by one character of advance.
      from = match.end > match.start ? match.end : match.end + 1;
    }
    return found;
  }
}

function splice(text: string, matches: readonly Match[], replacement: string): string {
  let result = '';
  let from = 0;
  for (const match of matches) {
    result += text.slice(from, match.start) + expand(replacement, match);
    from = match.end;
  }
  return result + text.slice(from);
}

/** Java's replacement: `\x` is x, `$n` a group with as many digits as groups exist for. */
function expand(replacement: string, { groups }: Match): string {
  let result = '';
  for (let at = 0; at < replacement.length; at += 1) {
    const sign = replacement.charAt(at);
    if (sign === '\\') {
      at += 1;
      if (at >= replacement.length) throw new RunFault('the replacement ends in a lone backslash');
      result += replacement.charAt(at);
    } else if (sign === '$') {
      const digits = groupDigits(replacement.slice(at + 1), groups.length);
      result += groups[Number(digits)] ?? '';
      at += digits.length;
    } else {
      result += sign;
    }
  }
  return result;
}

function groupDigits(rest: string, groupCount: number): string {
  let digits = /^\d/.exec(rest)?.[0];
  if (digits === undefined || Number(digits) >= groupCount) {
    throw new RunFault('the replacement names a group that the regular expression does not have');
  }
  while (/\d/.test(rest.charAt(digits.length)) && Number(digits + rest.charAt(digits.length)) < groupCount) {
    digits += rest.charAt(digits.length);
  }
  return digits;
}
