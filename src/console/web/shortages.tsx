/** What the gateway makes do without now, and what that means; calls are taken all the same. */
import { MessageStrip } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import type { Shortage } from '../api/overview.ts';
import { useWords } from './words.tsx';

const kinds = ['redis', 'quota', 'delivery'] as const satisfies readonly Shortage['kind'][];

export function Shortages({ shortages }: { readonly shortages: readonly Shortage[] }): ReactNode {
  const { say } = useWords();
  if (shortages.length === 0) return null;
  const told = kinds.flatMap((kind) => {
    const those = shortages.filter((each) => each.kind === kind);
    const names = those.map(({ of }) => of).join(', ');
    return those.length > 0 ? [say(`shortage.${kind}`, { names })] : [];
  });
  return (
    <MessageStrip design="Critical" hideCloseButton className="strip all">
      {told.join(' ')}
    </MessageStrip>
  );
}
