/** One record and its call: how it was decided, what went up for it, how it ended, and the proof that it stands in the trail. */
import '@ui5/webcomponents-icons/dist/copy.js';
import '@ui5/webcomponents-icons/dist/decline.js';
import { Button, DynamicPage, DynamicPageTitle, Title } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { CallRecord, PhysicalCall, RecordDetail, RecordRow } from '../api/record.ts';
import { fill } from './api.ts';
import { Busy, Refused } from './busy.tsx';
import { Card } from './card.tsx';
import { DecisionTrace } from './decision-trace.tsx';
import { useFetched } from './fetched.ts';
import { Proof } from './proof.tsx';
import { Ending, hasEnding } from './record-table.tsx';
import { useWords } from './words.tsx';

interface RecordDetailPageProps {
  readonly id: string;
  readonly open: (id: string) => void;
  readonly close: () => void;
}

export function RecordDetailPage({ id, open, close }: RecordDetailPageProps): ReactNode {
  const { say, format } = useWords();
  const { value, refusal, again } = useFetched<RecordDetail>(fill(endpoints.record.path, { record: id }));
  const row = value?.row;
  return (
    <DynamicPage
      hidePinButton
      className="page detail"
      titleArea={
        <DynamicPageTitle
          heading={
            <Title level="H2" size="H4" wrappingType="None">
              {row ? (row.operation ?? row.event) : say('record')}
            </Title>
          }
          subheading={row && <span className="quiet">{format.moment(row.at)}</span>}
          actionsBar={
            <div className="actions bar">
              <Button
                design="Transparent"
                icon="copy"
                tooltip={say('record.copyLink')}
                accessibleName={say('record.copyLink')}
                onClick={() => void navigator.clipboard.writeText(location.href)}
              />
              <Button
                design="Transparent"
                icon="decline"
                tooltip={say('close')}
                accessibleName={say('close')}
                onClick={close}
              />
            </div>
          }
        />
      }
    >
      {refusal && <Refused refusal={refusal} again={again} />}
      {value ? <Detail detail={value} open={open} /> : !refusal && <Busy />}
    </DynamicPage>
  );
}

function Detail({
  detail: { row, line, call, trace, physical },
  open,
}: {
  readonly detail: RecordDetail;
  readonly open: (id: string) => void;
}): ReactNode {
  const { say } = useWords();
  return (
    <div className="stack detail-parts">
      <section className="card" aria-label={say('record')}>
        <Summary row={row} />
      </section>
      {trace.length > 0 && (
        <Card title={say('trace')} note={say('trace.note')}>
          <DecisionTrace trace={trace} />
        </Card>
      )}
      {physical.length > 0 && (
        <Card title={say('physical')} note={say('physical.note', { count: physical.length })}>
          {physical.map((one) => (
            <Physical key={one.intent} physical={one} open={open} />
          ))}
        </Card>
      )}
      <Card title={say('proof')} note={say('proof.note')}>
        <Proof id={row.id} />
      </Card>
      <Card title={say('lines')} note={say('lines.note')}>
        {call.length > 1 ? (
          call.map((one) => <Line key={one.row.id} record={one} opened={one.row.id === row.id} />)
        ) : (
          <Line record={{ row, line }} opened />
        )}
      </Card>
    </div>
  );
}

function Summary({ row }: { readonly row: RecordRow }): ReactNode {
  const { say, format } = useWords();
  const facts: readonly (readonly [string, ReactNode])[] = [
    [say('column.outcome'), hasEnding(row) ? <Ending key="ending" row={row} /> : undefined],
    [say('column.caller'), row.caller],
    [say('column.address'), row.address],
    [say('column.system'), row.system],
    [say('column.tenant'), row.tenant],
    [say('column.resource'), row.resource && <code>{row.resource}</code>],
    [say('column.cache'), row.cache],
    [say('column.ms'), row.ms === undefined ? undefined : format.span(row.ms)],
    [say('column.request'), row.request && <code>{row.request}</code>],
    [say('column.replica'), row.instance],
    [say('column.event'), <code key="event">{row.event}</code>],
  ];
  return (
    <dl className="pairs">
      {facts
        .filter(([, value]) => value !== undefined && value !== '')
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function Physical({
  physical,
  open,
}: {
  readonly physical: PhysicalCall;
  readonly open: (id: string) => void;
}): ReactNode {
  const { say, format } = useWords();
  const { method, path, tenant, attempt, waitedMs, status, result, ms, tenantRequestId, intent, outcome } =
    physical;
  return (
    <div className="physical">
      <code className="wrap">
        <b>{method ?? '?'}</b> {path ?? ''}
      </code>
      <dl className="figure-row">
        <div>
          <dt>{say('column.tenant')}</dt>
          <dd>{tenant ?? '–'}</dd>
        </div>
        <div>
          <dt>{say('physical.attempt')}</dt>
          <dd>{attempt}</dd>
        </div>
        <div>
          <dt>{say('physical.waited')}</dt>
          <dd>{waitedMs === undefined ? '–' : format.span(waitedMs)}</dd>
        </div>
        <div>
          <dt>{say('physical.status')}</dt>
          <dd>{status ?? result ?? '–'}</dd>
        </div>
        <div>
          <dt>{say('physical.took')}</dt>
          <dd>{ms === undefined ? '–' : format.span(ms)}</dd>
        </div>
      </dl>
      {tenantRequestId !== undefined && (
        <p className="quiet small">
          {say('physical.tenantId')} <code>{tenantRequestId}</code>
        </p>
      )}
      <div className="actions">
        <Button design="Transparent" onClick={() => open(intent)}>
          {say('physical.intent')}
        </Button>
        {outcome === undefined ? (
          <span className="quiet">{say('physical.open')}</span>
        ) : (
          <Button design="Transparent" onClick={() => open(outcome)}>
            {say('physical.outcome')}
          </Button>
        )}
      </div>
    </div>
  );
}

function Line({
  record: { row, line },
  opened,
}: {
  readonly record: CallRecord;
  readonly opened: boolean;
}): ReactNode {
  const { format } = useWords();
  return (
    <details open={opened} className="line">
      <summary>
        <code>{row.event}</code> <span className="quiet">{format.time(row.at)}</span>
      </summary>
      <pre tabIndex={0} aria-label={row.event}>
        {pretty(line)}
      </pre>
    </details>
  );
}

function pretty(line: string): string {
  try {
    return JSON.stringify(JSON.parse(line), null, 2);
  } catch {
    // A damaged line is shown as it stands there.
    return line;
  }
}
