/** Asks why before something is done to a running gateway. Invariant: nothing is sent without a reason. */
import { Button, Dialog, Label, MessageStrip, StepInput, TextArea } from '@ui5/webcomponents-react';
import { useEffect, useId, useState, type ReactNode } from 'react';

import type { ActionReply, PauseRequest, Reason } from '../api/parties.ts';
import { call, type Refusal } from './api.ts';
import { Refused } from './busy.tsx';
import { refusalOf } from './fetched.ts';
import { useWords } from './words.tsx';

export interface Action {
  readonly path: string;
  readonly title: string;
  readonly text: string;
  readonly button: string;
  readonly timed?: boolean;
}

interface ActionDialogProps {
  readonly action: Action | undefined;
  readonly close: () => void;
  readonly done: (reply: ActionReply) => void;
}

export function ActionDialog({ action, close, done }: ActionDialogProps): ReactNode {
  const { say } = useWords();
  const [reason, setReason] = useState('');
  const [minutes, setMinutes] = useState(15);
  const [refusal, setRefusal] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const reasonId = useId();
  const minutesId = useId();
  useEffect(() => {
    setReason('');
    setRefusal(undefined);
  }, [action]);
  const send = async (): Promise<void> => {
    if (!action) return;
    setBusy(true);
    try {
      const request: Reason | PauseRequest = { reason: reason.trim(), ...(action.timed && { minutes }) };
      done(await call<ActionReply>('POST', action.path, request));
      close();
    } catch (error) {
      setRefusal(refusalOf(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open={action !== undefined}
      headerText={action?.title ?? ''}
      onClose={close}
      className="action"
      footer={
        <div className="dialog-buttons">
          <Button design="Emphasized" disabled={busy || reason.trim().length < 3} onClick={() => void send()}>
            {action?.button ?? ''}
          </Button>
          <Button onClick={close}>{say('cancel')}</Button>
        </div>
      }
    >
      <div className="stack">
        <p>{action?.text}</p>
        {refusal && <Refused refusal={refusal} />}
        {action?.timed && (
          <div className="field">
            <Label for={minutesId} showColon>
              {say('action.minutes')}
            </Label>
            <StepInput
              id={minutesId}
              min={1}
              max={1440}
              value={minutes}
              accessibleName={say('action.minutes')}
              onChange={({ target }) => setMinutes(target.value)}
            />
          </div>
        )}
        <div className="field">
          <Label for={reasonId} required showColon>
            {say('action.reason')}
          </Label>
          <TextArea
            id={reasonId}
            rows={3}
            maxlength={500}
            className="wide"
            accessibleName={say('action.reason')}
            value={reason}
            onInput={({ target }) => setReason(target.value)}
          />
        </div>
        <MessageStrip hideCloseButton>{say('action.recorded')}</MessageStrip>
      </div>
    </Dialog>
  );
}
