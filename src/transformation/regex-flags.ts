/** The flags of java.util.regex.Pattern by their letters. */
import type { Flags } from './regex-syntax.ts';

const flagNames = {
  i: 'ignoreCase',
  u: 'unicodeCase',
  m: 'multiline',
  s: 'dotAll',
  x: 'comments',
  d: 'unixLines',
  U: 'unicodeClasses',
} as const satisfies Record<string, keyof Flags>;

export const noFlags: Flags = {
  ignoreCase: false,
  unicodeCase: false,
  multiline: false,
  dotAll: false,
  comments: false,
  unixLines: false,
  unicodeClasses: false,
};

export function withFlags(flags: Flags, letters: string, on: boolean): Flags {
  const changes: Partial<Record<keyof Flags, boolean>> = {};
  for (const letter of letters) {
    const name = Object.entries(flagNames).find(([known]) => known === letter)?.[1];
    if (name) changes[name] = on;
    if (letter === 'U') changes.unicodeCase = on;
  }
  return { ...flags, ...changes };
}
