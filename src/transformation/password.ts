/** randomPassword (facts: transformations 8.2): at least so many of each kind, the rest from all kinds in use. */
import { randomInt } from 'node:crypto';

import { SyntaxFault } from './cursor.ts';
import type { FunctionKind, Given, Work } from './function-kind.ts';

const requiredInteger = { type: 'integer', required: true } as const;

const sets = {
  minimumNumberOfLowercaseLetters: 'abcdefghijklmnopqrstuvwxyz',
  minimumNumberOfUppercaseLetters: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  minimumNumberOfDigits: '0123456789',
} as const;

const longest = 1024;

export const passwordFunctions = {
  randomPassword: {
    parameters: {
      passwordLength: requiredInteger,
      minimumNumberOfLowercaseLetters: requiredInteger,
      minimumNumberOfUppercaseLetters: requiredInteger,
      minimumNumberOfDigits: requiredInteger,
      minimumNumberOfSpecialSymbols: requiredInteger,
      specialSymbols: { type: 'text' },
    },
    prepare,
  },
} as const satisfies Record<string, FunctionKind>;

function prepare(given: Given): Work {
  const length = given.integer('passwordLength');
  const symbols = given.text('specialSymbols', '~!@#$%^&*()_+');
  const wanted = [
    ...Object.entries(sets).map(([name, set]) => ({ set, least: given.integer(name) })),
    { set: symbols, least: given.integer('minimumNumberOfSpecialSymbols') },
  ].filter(({ least }) => least !== 0);
  if (given.has('specialSymbols') && (symbols === '' || !wanted.some(({ set }) => set === symbols))) {
    throw new SyntaxFault('own specialSymbols need a minimumNumberOfSpecialSymbols of at least 1');
  }
  refuseImpossible(
    length,
    wanted.map(({ least }) => least),
  );
  return () => {
    const all = wanted.map(({ set }) => set).join('');
    const least = wanted.flatMap(({ set, least }) => Array.from({ length: least }, () => pick(set)));
    const rest = Array.from({ length: length - least.length }, () => pick(all));
    return shuffled([...least, ...rest]).join('');
  };
}

function refuseImpossible(length: number, minima: readonly number[]): void {
  const sum = minima.reduce((total, least) => total + least, 0);
  if (length < 1 || length > longest) throw new SyntaxFault(`passwordLength must be from 1 to ${longest}`);
  if (minima.some((least) => least < 0) || minima.length === 0)
    throw new SyntaxFault('the minima leave no characters to choose from');
  if (sum > length) throw new SyntaxFault('the minima exceed passwordLength');
}

function pick(set: string): string {
  return set.charAt(randomInt(set.length));
}

function shuffled(signs: readonly string[]): string[] {
  const mixed = [...signs];
  for (let at = mixed.length - 1; at > 0; at -= 1) {
    const other = randomInt(at + 1);
    [mixed[at], mixed[other]] = [mixed[other] ?? '', mixed[at] ?? ''];
  }
  return mixed;
}
