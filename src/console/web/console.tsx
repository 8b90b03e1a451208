/** The page as a whole: who is logged on decides what there is to see. */
import { BusyIndicator } from '@ui5/webcomponents-react';
import { useCallback, useEffect, useState, type ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { Session } from '../api/session.ts';
import { call, get, keepToken, onSessionOver } from './api.ts';
import { useAppearance } from './appearance.ts';
import { refusalOf } from './fetched.ts';
import { LogOn, type Notice } from './log-on.tsx';
import { Shell } from './shell.tsx';
import { useWords } from './words.tsx';

export function Console(): ReactNode {
  const { say } = useWords();
  const appearance = useAppearance();
  const [session, setSession] = useState<Session>();
  const [notice, setNotice] = useState<Notice | undefined>(refusedNotice);

  const take = useCallback((found: Session) => {
    keepToken(found);
    setSession((former) => {
      if (former?.user && !found.user) setNotice((told) => told ?? { word: 'logOn.over' });
      return found;
    });
    if (found.user) setNotice(undefined);
  }, []);
  const load = useCallback(
    () =>
      get<Session>(endpoints.session.path).then(take, (error: unknown) => {
        setNotice({ word: 'logOn.unreachable', detail: refusalOf(error).problem.detail });
      }),
    [take],
  );
  useEffect(() => void load(), [load]);
  useEffect(
    () =>
      onSessionOver(() => {
        setNotice({ word: 'logOn.over' });
        void load();
      }),
    [load],
  );

  if (session?.user && session.gateway)
    return (
      <Shell
        gateway={session.gateway}
        user={session.user}
        appearance={appearance}
        look={load}
        leave={() => {
          void call('POST', endpoints.logOff.path, {}).then(load, load);
          setNotice({ word: 'logOn.left' });
        }}
      />
    );
  if (session) return <LogOn session={session} notice={notice} take={take} />;
  return notice ? (
    <LogOn notice={notice} take={take} />
  ) : (
    <BusyIndicator active delay={500} text={say('loading')} className="whole-page" />
  );
}

/** What OIDC led back with. It leaves the address, so that a reload does not repeat it. */
function refusedNotice(): Notice | undefined {
  const address = new URL(location.href);
  const refused = address.searchParams.get('refused');
  if (refused === null) return undefined;
  address.searchParams.delete('refused');
  history.replaceState(null, '', address);
  return { word: refused === 'not-allowed' ? 'logOn.notAllowed' : 'logOn.failed' };
}
