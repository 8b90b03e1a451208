/**
 * Asks why, and where it matters how much and for how long, before something is done to a running gateway. Invariant: nothing
 * is sent without a reason.
 */
import { Button, Dialog, Label, MessageStrip, StepInput, TextArea } from '@ui5/webcomponents-react';
import { useEffect, useId, useState, type ReactNode } from 'react';

import type { ActionReply, PauseRequest, Reason, ReleaseRequest } from '../api/parties.ts';
import { call, type Refusal } from './api.ts';
import { Refused } from './busy.tsx';
import { refusalOf } from './fetched.ts';
import { useWords } from './words.tsx';

export interface Action {
  readonly path: string;
  readonly title: string;
  readonly text: string;
  readonly button: string;
  /** What is said when it is done. */
  readonly done: (given: { readonly count: string; readonly minutes: number }) => string;
  /** How long it is to last, to begin with, and what that means; absent where it has no end. */
  readonly minutes?: number;
  readonly minutesLabel?: string;
  /** How much of it may be chosen; absent where it is all or nothing. */
  readonly most?: number;
}

export type Act = (action: Action) => void;

/** Characters; the server wants as many. */
const leastReason = 3;

interface ActionDialogProps {
  readonly action: Action | undefined;
  readonly close: () => void;
  /** Told what was done, in the reader's words. */
  readonly done: (says: string) => void;
}

export function ActionDialog({ action, close, done }: ActionDialogProps): ReactNode {
  const { say, format } = useWords();
  const [reason, setReason] = useState('');
  const [minutes, setMinutes] = useState(1);
  const [count, setCount] = useState(1);
  const [refusal, setRefusal] = useState<Refusal>();
  const [busy, setBusy] = useState(false);
  const reasonId = useId();
  useEffect(() => {
    setReason('');
    setMinutes(action?.minutes ?? 1);
    setCount(action?.most ?? 1);
    setRefusal(undefined);
  }, [action]);
  const send = async (): Promise<void> => {
    if (!action) return;
    setBusy(true);
    try {
      const request: Reason | PauseRequest | ReleaseRequest = {
        reason: reason.trim(),
        ...(action.minutes !== undefined && { minutes }),
        ...(action.most !== undefined && { count }),
      };
      await call<ActionReply>('POST', action.path, request);
      done(action.done({ count: format.count(count), minutes }));
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
          <Button
            design="Emphasized"
            disabled={busy || reason.trim().length < leastReason}
            onClick={() => void send()}
          >
            {action?.button ?? ''}
          </Button>
          <Button onClick={close}>{say('cancel')}</Button>
        </div>
      }
    >
      <div className="stack">
        <p>{action?.text}</p>
        {refusal && <Refused refusal={refusal} />}
        {action?.most !== undefined && (
          <Figure
            label={say('action.count', { most: format.count(action.most) })}
            most={action.most}
            value={count}
            choose={setCount}
          />
        )}
        {action?.minutesLabel !== undefined && (
          <Figure label={action.minutesLabel} most={1440} value={minutes} choose={setMinutes} />
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
          {reason.trim().length < leastReason && (
            <span className="quiet small">{say('action.reason.least', { least: leastReason })}</span>
          )}
        </div>
        <MessageStrip hideCloseButton>{say('action.recorded')}</MessageStrip>
      </div>
    </Dialog>
  );
}

interface FigureProps {
  readonly label: string;
  readonly most: number;
  readonly value: number;
  readonly choose: (value: number) => void;
}

function Figure({ label, most, value, choose }: FigureProps): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <Label for={id} showColon>
        {label}
      </Label>
      <StepInput
        id={id}
        min={1}
        max={most}
        value={value}
        accessibleName={label}
        onChange={({ target }) => choose(target.value)}
      />
    </div>
  );
}
