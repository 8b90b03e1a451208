/** The head of a table of figures; a column of numbers stands at its end, one of buttons has a name for screen readers alone. */
import type { ReactNode } from 'react';

import type { Word } from './words-en.ts';
import { useWords } from './words.tsx';

export type Column = Word | readonly [Word, 'end' | 'unseen'];

export function Columns({ columns }: { readonly columns: readonly Column[] }): ReactNode {
  const { say } = useWords();
  return (
    <thead>
      <tr>
        {columns.map((column) => {
          const [word, look] = typeof column === 'string' ? [column] : column;
          return (
            <th key={word} scope="col" className={look === 'end' ? 'end' : undefined}>
              {look === 'unseen' ? <span className="unseen">{say(word)}</span> : say(word)}
            </th>
          );
        })}
      </tr>
    </thead>
  );
}
