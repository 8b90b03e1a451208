/** Logging on: at the company's own log-on by OIDC, or with a local account for when that is away. */
import { Button, Input, Label, MessageStrip, Title, type InputDomRef } from '@ui5/webcomponents-react';
import { useId, useRef, useState, type ReactNode, type RefObject } from 'react';

import { endpoints, oidcLogOnPath } from '../api/endpoints.ts';
import type { LogOnRequest, Session } from '../api/session.ts';
import { call } from './api.ts';
import { refusalOf } from './fetched.ts';
import logo from './gatehouse.svg';
import type { Word } from './words-en.ts';
import { useWords } from './words.tsx';

export interface Notice {
  readonly word: Word;
  readonly detail?: string;
}

interface LogOnProps {
  readonly session?: Session;
  readonly notice?: Notice | undefined;
  readonly take: (session: Session) => void;
}

export function LogOn({ session, notice, take }: LogOnProps): ReactNode {
  const { say, language, setLanguage } = useWords();
  const then = encodeURIComponent(`${location.pathname}${location.search}`);
  return (
    <main className="log-on">
      <div className="log-on-card">
        <img src={logo} alt="" width={56} height={56} />
        <Title level="H1" size="H2">
          Gatehouse
        </Title>
        <p className="quiet">{say('logOn.to')}</p>
        {notice && (
          <MessageStrip design={notice.word === 'logOn.left' ? 'Information' : 'Critical'} hideCloseButton>
            {say(notice.word)}
          </MessageStrip>
        )}
        {session?.logOn.oidc !== undefined && (
          <Button
            design="Emphasized"
            className="wide"
            onClick={() => location.assign(`${oidcLogOnPath}?then=${then}`)}
          >
            {session.logOn.oidc}
          </Button>
        )}
        {session?.logOn.local && <LocalLogOn second={session.logOn.oidc !== undefined} take={take} />}
        <Button design="Transparent" onClick={() => setLanguage(language === 'en' ? 'de' : 'en')}>
          {say('language.other')}
        </Button>
      </div>
    </main>
  );
}

function LocalLogOn({
  second,
  take,
}: {
  readonly second: boolean;
  readonly take: LogOnProps['take'];
}): ReactNode {
  const { say } = useWords();
  const user = useRef<InputDomRef>(null);
  const secret = useRef<InputDomRef>(null);
  const [refused, setRefused] = useState<Word>();
  const [busy, setBusy] = useState(false);
  /** At once, while `busy` is known only when the page was drawn again: each log-on counts. */
  const sending = useRef(false);

  const send = async (): Promise<void> => {
    if (sending.current) return;
    sending.current = true;
    setBusy(true);
    setRefused(undefined);
    const request: LogOnRequest = { user: user.current?.value ?? '', secret: secret.current?.value ?? '' };
    try {
      take(await call<Session>('POST', endpoints.logOn.path, request));
    } catch (error) {
      const { status } = refusalOf(error);
      setRefused(status === 401 ? 'logOn.wrong' : status === 429 ? 'logOn.throttled' : 'logOn.failed');
      setBusy(false);
      sending.current = false;
      if (secret.current) secret.current.value = '';
      await secret.current?.focus();
    }
  };

  return (
    <form
      className="log-on-local"
      aria-label={say('logOn.local')}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {second && <p className="divided">{say('logOn.local')}</p>}
      <Field label={say('logOn.user')} name="user" field={user} />
      <Field label={say('logOn.secret')} name="secret" field={secret} />
      <div role="alert">
        {refused && (
          <MessageStrip design="Negative" hideCloseButton>
            {say(refused)}
          </MessageStrip>
        )}
      </div>
      <Button
        design={second ? 'Default' : 'Emphasized'}
        className="wide"
        disabled={busy}
        onClick={() => void send()}
      >
        {say('logOn.go')}
      </Button>
    </form>
  );
}

interface FieldProps {
  readonly label: string;
  readonly name: 'user' | 'secret';
  readonly field: RefObject<InputDomRef | null>;
}

/** Enter in it submits the form. */
function Field({ label, name, field }: FieldProps): ReactNode {
  const id = useId();
  return (
    <>
      <Label for={id} showColon>
        {label}
      </Label>
      <Input
        id={id}
        ref={field}
        name={name}
        type={name === 'secret' ? 'Password' : 'Text'}
        accessibleName={label}
        required
        className="wide"
      />
    </>
  );
}
