/** What nobody can say of a search's result: replicas that are silent, trails that are missing, damage, and what is not indexed yet. */
import { MessageStrip } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import type { AuditHealth, Histogram } from '../api/trail.ts';
import { useWords } from './words.tsx';

export function Silences({
  health,
  damages,
}: {
  readonly health: AuditHealth;
  readonly damages: Histogram['damages'];
}): ReactNode {
  const { say, format } = useWords();
  const silent = health.trails.filter((trail) => trail.silent);
  return (
    <>
      {silent.length > 0 && (
        <MessageStrip design="Critical" hideCloseButton className="strip">
          {say('audit.silent', { names: silent.map(({ instance }) => instance).join(', ') })}
        </MessageStrip>
      )}
      {health.missing.length > 0 && (
        <MessageStrip design="Negative" hideCloseButton className="strip">
          {say('audit.missing', { names: health.missing.map(({ origin }) => origin).join(', ') })}
        </MessageStrip>
      )}
      {damages.length > 0 && (
        <MessageStrip design="Negative" hideCloseButton className="strip">
          {say('audit.damaged')} {damages.map(({ file, reason }) => `${file}: ${reason}`).join(' ')}
        </MessageStrip>
      )}
      {health.indexed < 1 && (
        <MessageStrip hideCloseButton className="strip">
          {say('audit.indexing', { share: format.share(health.indexed) })}
        </MessageStrip>
      )}
    </>
  );
}
