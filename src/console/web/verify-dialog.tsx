/** Verifies all trails now and tells what it found; who closes the dialog lets the verification go on. */
import { Button, Dialog, MessageStrip, ObjectStatus, ProgressIndicator } from '@ui5/webcomponents-react';
import { useEffect, useState, type ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { VerifyJob } from '../api/record.ts';
import { call, fill, get, type Refusal } from './api.ts';
import { Refused } from './busy.tsx';
import { refusalOf } from './fetched.ts';
import { useWords } from './words.tsx';

const states = {
  ok: 'Positive',
  incomplete: 'Critical',
  truncated: 'Negative',
  tampered: 'Negative',
} as const;

interface VerifyDialogProps {
  readonly open: boolean;
  readonly close: () => void;
}

export function VerifyDialog({ open, close }: VerifyDialogProps): ReactNode {
  const { say } = useWords();
  const [job, setJob] = useState<VerifyJob>();
  const [refusal, setRefusal] = useState<Refusal>();
  const refuse = (error: unknown): void => setRefusal(refusalOf(error));
  useEffect(() => {
    if (!open) return;
    setRefusal(undefined);
    setJob(undefined);
    call<VerifyJob>('POST', endpoints.verify.path, {}).then(setJob, refuse);
  }, [open]);
  useEffect(() => {
    if (!open || job?.state !== 'running') return;
    const timer = setTimeout(() => {
      get<VerifyJob>(fill(endpoints.verification.path, { job: job.id })).then(setJob, refuse);
    }, 700);
    return () => clearTimeout(timer);
  }, [open, job]);
  const running = job?.state === 'running';

  return (
    <Dialog
      open={open}
      headerText={say('verify')}
      onClose={close}
      className="verify"
      footer={
        <div className="dialog-buttons">
          {running && (
            <Button
              onClick={() =>
                void call<VerifyJob>('DELETE', fill(endpoints.cancelVerification.path, { job: job.id })).then(
                  setJob,
                  refuse,
                )
              }
            >
              {say('verify.cancel')}
            </Button>
          )}
          <Button design="Emphasized" onClick={close}>
            {say('close')}
          </Button>
        </div>
      }
    >
      <div className="stack" aria-live="polite">
        {refusal && <Refused refusal={refusal} />}
        {job && running && <Running job={job} />}
        {job && !running && <Verdict job={job} />}
      </div>
    </Dialog>
  );
}

function Running({ job: { bytesDone, bytesTotal } }: { readonly job: VerifyJob }): ReactNode {
  const { say, format } = useWords();
  const done = bytesTotal === 0 ? 0 : Math.floor((bytesDone / bytesTotal) * 100);
  return (
    <>
      <p>{say('verify.running')}</p>
      <ProgressIndicator value={done} accessibleName={say('verify.running')} />
      <p className="quiet">
        {say('verify.bytes', { done: format.bytes(bytesDone), total: format.bytes(bytesTotal) })}
      </p>
    </>
  );
}

function Verdict({
  job: { state, verdict, findings = [], instances = [] },
}: {
  readonly job: VerifyJob;
}): ReactNode {
  const { say, format } = useWords();
  if (state !== 'done' || verdict === undefined)
    return (
      <MessageStrip design="Critical" hideCloseButton>
        {say(state === 'cancelled' ? 'verify.cancelled' : 'verify.failed')}
      </MessageStrip>
    );
  const remarks = instances.flatMap(({ instance, remarks: own }) =>
    own.map((remark) => ({ instance, remark })),
  );
  const isCovered = instances.length > 0 && instances.every(({ coveredTo }) => coveredTo !== undefined);
  return (
    <>
      <MessageStrip
        design={remarks.length > 0 && verdict === 'ok' ? 'Critical' : states[verdict]}
        hideCloseButton
      >
        {say(verdict === 'ok' && isCovered ? 'verdict.ok.covered' : `verdict.${verdict}`)}
      </MessageStrip>
      <table className="lines">
        <thead>
          <tr>
            <th scope="col">{say('column.replica')}</th>
            <th scope="col">{say('verify.verdict')}</th>
            <th scope="col" className="end">
              {say('trails.records')}
            </th>
            <th scope="col">{say('verify.until')}</th>
            <th scope="col">{say('verify.covered')}</th>
          </tr>
        </thead>
        <tbody>
          {instances.map(({ instance, verdict: own, records, lastAt, coveredTo, witnessedAt }) => (
            <tr key={instance}>
              <th scope="row">{instance}</th>
              <td className="nowrap">
                <ObjectStatus state={states[own]} showDefaultIcon>
                  {say(`verdict.${own}.short`)}
                </ObjectStatus>
              </td>
              <td className="end">{format.count(records)}</td>
              <td className="nowrap">{lastAt === undefined ? '–' : format.moment(lastAt)}</td>
              <td>
                {coveredTo === undefined || witnessedAt === undefined
                  ? say('verify.covered.none')
                  : say('verify.covered.to', {
                      seq: format.count(coveredTo),
                      time: format.moment(witnessedAt),
                    })}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {findings.length + remarks.length > 0 && (
        <ul className="findings">
          {findings.map(({ file, seq, reason, verdict: weight }) => (
            <li key={`${file} ${seq} ${reason}`}>
              <b>{say(`verdict.${weight}.short`)}</b> {reason}{' '}
              <code className="quiet">
                {file}
                {seq !== undefined && ` #${seq}`}
              </code>
            </li>
          ))}
          {remarks.map(({ instance, remark }) => (
            <li key={`${instance} ${remark}`}>
              <b>{say('verify.remark')}</b> {remark} <code className="quiet">{instance}</code>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
