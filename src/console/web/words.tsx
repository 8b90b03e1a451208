/** The reader's language: English or German, as the browser says until the reader chooses. */
import { setLanguage as setUi5Language } from '@ui5/webcomponents-base/dist/config/Language.js';
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';

import { fillIn } from './fill-in.ts';
import { formatIn, type Format } from './format.ts';
import { recall, keep } from './keepsake.ts';
import { german } from './words-de.ts';
import { english, type Word } from './words-en.ts';

export type Language = 'en' | 'de';
export type Say = (word: Word, values?: Readonly<Record<string, string | number>>) => string;

interface Words {
  readonly language: Language;
  readonly say: Say;
  /** For words of the server, such as outcomes or steps; what the catalogue does not know is shown as it is. */
  readonly sayOr: (word: string, otherwise: string) => string;
  readonly format: Format;
  readonly setLanguage: (language: Language) => void;
}

const catalogues = { en: english, de: german } as const;
const WordsContext = createContext<Words | undefined>(undefined);

export function WordsProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [language, setLanguage] = useState<Language>(() => recall('language', ['en', 'de']) ?? preferred());
  useEffect(() => {
    document.documentElement.lang = language;
    void setUi5Language(language);
  }, [language]);
  const words = useMemo<Words>(() => {
    const catalogue: Readonly<Record<string, string>> = catalogues[language];
    return {
      language,
      say: (word, values = {}) => fillIn(catalogues[language][word], values),
      sayOr: (word, otherwise) => catalogue[word] ?? otherwise,
      format: formatIn(language === 'en' ? 'en-GB' : 'de-DE'),
      setLanguage: (chosen) => {
        keep('language', chosen);
        setLanguage(chosen);
      },
    };
  }, [language]);
  return <WordsContext value={words}>{children}</WordsContext>;
}

export function useWords(): Words {
  const words = useContext(WordsContext);
  if (!words) throw new Error('useWords needs a WordsProvider');
  return words;
}

const preferred = (): Language => (navigator.language.startsWith('de') ? 'de' : 'en');
