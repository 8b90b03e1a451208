/** One hardening check, put into the words that page and server share. Invariant: what is not good has a remedy. */
import { securityEnglish, type SecurityWord } from '../console/api/security-words.ts';
import type { SecurityCheck } from '../console/api/security.ts';

type WithRemedy<Word> = Word extends `${infer Found}.remedy` ? Found : never;

/** How it is, and the words for that. */
export type Found =
  | readonly ['good', SecurityWord]
  | readonly ['advice' | 'danger', SecurityWord & WithRemedy<SecurityWord>];

export interface Checked {
  readonly area: SecurityCheck['area'];
  /** The title's words. */
  readonly about: SecurityWord;
  /** Where the title stands for several. */
  readonly id?: string;
  readonly setting?: string;
  readonly found: Found;
  readonly values?: Readonly<Record<string, string>>;
}

export function check({ area, about, id = about, setting, found, values = {} }: Checked): SecurityCheck {
  const [state, detail] = found;
  const words = {
    title: about,
    detail,
    ...(found[0] !== 'good' && { remedy: `${found[1]}.remedy` as const }),
  };
  const say = (word: SecurityWord): string =>
    securityEnglish[word].replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? '');
  return {
    id,
    area,
    state,
    title: say(words.title),
    detail: say(words.detail),
    ...(words.remedy && { remedy: say(words.remedy) }),
    ...(setting !== undefined && { setting }),
    words,
    values,
  };
}
