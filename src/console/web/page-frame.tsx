/** What every page but the audit trail's stands in: its heading, a note below it, and what the server refused. */
import { DynamicPage, DynamicPageTitle, Title } from '@ui5/webcomponents-react';
import type { ReactElement, ReactNode } from 'react';

import type { Refusal } from './api.ts';
import { Busy, Refused } from './busy.tsx';

interface PageFrameProps {
  readonly heading: string;
  readonly note?: ReactNode;
  readonly actions?: ReactElement;
  readonly refusal?: Refusal | undefined;
  readonly again?: () => void;
  /** Absent until the server has answered. */
  readonly children?: ReactNode;
}

export function PageFrame({ heading, note, actions, refusal, again, children }: PageFrameProps): ReactNode {
  return (
    <DynamicPage
      hidePinButton
      className="page"
      titleArea={
        <DynamicPageTitle
          heading={
            <Title level="H1" size="H3">
              {heading}
            </Title>
          }
          subheading={<span className="quiet">{note}</span>}
          {...(actions && { actionsBar: actions })}
        />
      }
    >
      {refusal && <Refused refusal={refusal} stale={Boolean(children)} {...(again && { again })} />}
      {children ?? (!refusal && <Busy />)}
    </DynamicPage>
  );
}
