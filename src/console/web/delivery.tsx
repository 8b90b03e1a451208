/** Whether the trail is written, checkpointed and verified, and how far its destinations are behind. */
import { ObjectStatus } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import type { AuditPulse, DestinationGauge } from '../api/overview.ts';
import { Columns, type Column } from './columns.tsx';
import { useWords } from './words.tsx';

export function AuditFigures({ pulse }: { readonly pulse: AuditPulse }): ReactNode {
  const { say, format } = useWords();
  return (
    <dl className="pairs">
      <div>
        <dt>{say('audit.writable')}</dt>
        <dd>
          <ObjectStatus state={pulse.ready ? 'Positive' : 'Negative'} showDefaultIcon>
            {say(pulse.ready ? 'yes' : 'audit.broken')}
          </ObjectStatus>
        </dd>
      </div>
      <div>
        <dt>{say('audit.checkpoint')}</dt>
        <dd>
          {pulse.checkpoint
            ? say('audit.checkpoint.value', {
                size: format.count(pulse.checkpoint.size),
                time: format.moment(pulse.checkpoint.at),
              })
            : say('audit.checkpoint.none')}
        </dd>
      </div>
      <div>
        <dt>{say('audit.verifiedUntil')}</dt>
        <dd>{pulse.verifiedUntil === undefined ? say('audit.never') : format.moment(pulse.verifiedUntil)}</dd>
      </div>
      {pulse.freeBytes !== undefined && (
        <div>
          <dt>{say('audit.free')}</dt>
          <dd>{format.bytes(pulse.freeBytes)}</dd>
        </div>
      )}
    </dl>
  );
}

const columns: readonly Column[] = [
  'sinks',
  'state',
  ['sinks.lag', 'end'],
  ['sinks.records', 'end'],
  ['sinks.sent', 'end'],
];

export function Destinations({
  destinations,
}: {
  readonly destinations: readonly DestinationGauge[];
}): ReactNode {
  const { say, format } = useWords();
  if (destinations.length === 0) return <p className="quiet">{say('sinks.none')}</p>;
  return (
    <table className="lines">
      <Columns columns={columns} />
      <tbody>
        {destinations.map(({ name, working, lagSeconds, lagRecords, sent, dropped }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              {working && dropped === 0 && sent === 0 ? (
                <span className="quiet">{say('sinks.untried')}</span>
              ) : (
                <ObjectStatus state={working && dropped === 0 ? 'Positive' : 'Negative'} showDefaultIcon>
                  {dropped > 0
                    ? say('sinks.dropped', { count: format.count(dropped) })
                    : say(working ? 'sinks.works' : 'sinks.fails')}
                </ObjectStatus>
              )}
            </td>
            <td className="end">{format.span(lagSeconds * 1000)}</td>
            <td className="end">{format.count(lagRecords)}</td>
            <td className="end">{format.count(sent)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
