/** Tells in time that the session will end for want of use, and lets the reader stay. */
import { Button, Dialog } from '@ui5/webcomponents-react';
import { useEffect, useRef, useState, type ReactNode } from 'react';

import { lastCall } from './api.ts';
import type { User } from './shell.tsx';
import { useWords } from './words.tsx';

const warningMs = 60_000;

interface SessionWatchProps {
  readonly user: User;
  readonly stay: () => Promise<void>;
  readonly leave: () => void;
}

export function SessionWatch({ user, stay, leave }: SessionWatchProps): ReactNode {
  const { say, format } = useWords();
  const [leftMs, setLeftMs] = useState<number>();
  const idleMs = useRef(0);
  useEffect(() => {
    idleMs.current = Date.parse(user.idleEndsAt) - Date.now();
    const timer = setInterval(() => {
      const endsAt = Math.min(lastCall() + idleMs.current, Date.parse(user.endsAt));
      const left = endsAt - Date.now();
      setLeftMs(left < warningMs ? Math.max(left, 0) : undefined);
      // The server says whether it is over; asking moves an end that has not come yet.
      if (left < 0) void stay();
    }, 1000);
    return () => clearInterval(timer);
  }, [user, stay]);

  return (
    <Dialog
      open={leftMs !== undefined}
      headerText={say('watch.title')}
      state="Critical"
      // Escape is an answer too: whoever presses it is there.
      onClose={() => {
        if (leftMs !== undefined) void stay();
      }}
      footer={
        <div className="dialog-buttons">
          <Button design="Emphasized" onClick={() => void stay()}>
            {say('watch.stay')}
          </Button>
          <Button onClick={leave}>{say('menu.leave')}</Button>
        </div>
      }
    >
      <p role="timer">{say('watch.text', { span: format.span(Math.ceil((leftMs ?? 0) / 1000) * 1000) })}</p>
    </Dialog>
  );
}
