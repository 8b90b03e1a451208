/** What a page shows while it waits, when it was refused, and when there is nothing. */
import '@ui5/webcomponents-fiori/dist/illustrations/NoData.js';
import '@ui5/webcomponents-fiori/dist/illustrations/NoSearchResults.js';
import { BusyIndicator, Button, IllustratedMessage, MessageStrip } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import type { Refusal } from './api.ts';
import { useWords } from './words.tsx';

export function Busy(): ReactNode {
  const { say } = useWords();
  return <BusyIndicator active delay={300} text={say('loading')} className="whole-page" />;
}

interface RefusedProps {
  readonly refusal: Refusal;
  readonly again?: () => void;
  /** There is something to see, from before. */
  readonly stale?: boolean;
}

export function Refused({ refusal, again, stale = false }: RefusedProps): ReactNode {
  const { say, sayOr } = useWords();
  return (
    <MessageStrip design="Negative" hideCloseButton className="strip">
      {sayOr(`problem.${refusal.problem.error}`, say('problem.other'))} {refusal.problem.detail}{' '}
      {stale && `${say('problem.stale')} `}
      {again && (
        <Button design="Transparent" onClick={again}>
          {say('again')}
        </Button>
      )}
    </MessageStrip>
  );
}

export function Empty({
  title,
  text,
  search = false,
}: {
  readonly title: string;
  readonly text: string;
  readonly search?: boolean;
}): ReactNode {
  return (
    <IllustratedMessage
      name={search ? 'NoSearchResults' : 'NoData'}
      design="Small"
      titleText={title}
      subtitleText={text}
      className="empty"
    />
  );
}
