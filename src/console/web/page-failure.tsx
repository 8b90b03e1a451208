/** What is shown where a page could not be loaded or failed: the frame around it stays, and a reload is one key away. */
import { Button, IllustratedMessage } from '@ui5/webcomponents-react';
import '@ui5/webcomponents-fiori/dist/illustrations/UnableToLoad.js';
import { Component, type ReactNode } from 'react';

import { useWords } from './words.tsx';

interface PageBoundaryProps {
  readonly children: ReactNode;
}

/** Give it the page's name as its key, so that another page begins anew. */
export class PageBoundary extends Component<PageBoundaryProps, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { readonly failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    return this.state.failed ? <PageFailure /> : this.props.children;
  }
}

function PageFailure(): ReactNode {
  const { say } = useWords();
  return (
    <IllustratedMessage
      name="UnableToLoad"
      titleText={say('failure')}
      subtitleText={say('failure.hint')}
      className="empty failure"
    >
      <Button design="Emphasized" onClick={() => location.reload()}>
        {say('failure.reload')}
      </Button>
    </IllustratedMessage>
  );
}
