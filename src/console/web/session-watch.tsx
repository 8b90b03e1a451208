/** Tells in time that the session will end for want of use, and lets the reader stay. */
import { Button, Dialog } from '@ui5/webcomponents-react';
import { useEffect, useRef, useState, type ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import { get, lastCall } from './api.ts';
import type { User } from './shell.tsx';
import { useWords } from './words.tsx';

/** Or a quarter of the time, where sessions are short. */
const warningMs = 60_000;

interface SessionWatchProps {
  readonly user: User;
  /** Asks for the session. */
  readonly look: () => Promise<void>;
  readonly leave: () => void;
}

export function SessionWatch({ user, look, leave }: SessionWatchProps): ReactNode {
  const { say, format } = useWords();
  const [leftMs, setLeftMs] = useState<number>();
  const idleMs = useRef(0);
  useEffect(() => {
    idleMs.current = Date.parse(user.idleEndsAt) - Date.now();
    const timer = setInterval(() => {
      const endsAt = Math.min(lastCall() + idleMs.current, Date.parse(user.endsAt));
      const left = endsAt - Date.now();
      setLeftMs(left < Math.min(warningMs, idleMs.current / 4) ? Math.max(left, 0) : undefined);
      // The server knows.
      if (left < 0) void look();
    }, 1000);
    return () => clearInterval(timer);
  }, [user, look]);
  const stay = (): void => {
    const { path } = user.role === 'auditor' ? endpoints.trails : endpoints.overview;
    void get(path).then(look, look);
  };

  return (
    <Dialog
      open={leftMs !== undefined}
      headerText={say('watch.title')}
      state="Critical"
      // Escape is an answer too: whoever presses it is there.
      onClose={() => {
        if (leftMs !== undefined) stay();
      }}
      footer={
        <div className="dialog-buttons">
          <Button design="Emphasized" onClick={stay}>
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
