/** What each system costs, how fresh its answers are, and the lever that forgets them. */
import { Button, ObjectStatus } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { SystemState } from '../api/parties.ts';
import type { Act } from './action-dialog.tsx';
import { fill } from './api.ts';
import { Card } from './card.tsx';
import { Columns, type Column } from './columns.tsx';
import { useWords } from './words.tsx';

const snapshotLooks = { shown: 'Positive', building: 'Information', faulty: 'Critical' } as const;
const columns: readonly Column[] = [
  'column.system',
  ['systems.calls', 'end'],
  ['systems.up', 'end'],
  'systems.saved',
  'systems.fresh',
  'systems.snapshot',
  'systems.probe',
  ['actions', 'unseen'],
];

export function Systems({
  systems,
  act,
}: {
  readonly systems: readonly SystemState[];
  readonly act: Act;
}): ReactNode {
  const { say } = useWords();
  return (
    <Card title={say('systems')} note={say('systems.note')}>
      <div className="scroll" tabIndex={0} role="region" aria-label={say('systems')}>
        <table className="lines">
          <Columns columns={columns} />
          <tbody>
            {systems.map((system) => (
              <SystemLine key={system.id} system={system} act={act} />
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function SystemLine({ system, act }: { readonly system: SystemState; readonly act: Act }): ReactNode {
  const { say, format } = useWords();
  const { id, name, tenant, resourceTypes, calls, up, saved, cache, snapshot } = system;
  const share = calls === 0 ? 0 : saved / calls;
  return (
    <tr>
      <th scope="row">
        <div>{name}</div>
        <div className="quiet small">
          {name !== id && <code>{id}</code>}
          <div>
            {tenant} · {resourceTypes.join(', ')}
          </div>
        </div>
      </th>
      <td className="end">{format.count(calls)}</td>
      <td className="end">{format.count(up)}</td>
      <td className="saved">
        <svg width="64" height="8" aria-hidden="true">
          <rect width="64" height="8" rx="2" className="fill-track" />
          <rect width={64 * Math.min(share, 1)} height="8" rx="2" className="fill-measure" />
        </svg>{' '}
        {format.count(saved)} <span className="quiet">{format.share(share)}</span>
      </td>
      <td>
        {cache.on
          ? say('systems.fresh.for', { span: format.span(cache.lifetimeMs) })
          : say('systems.fresh.off')}
        {cache.oldestServedMs !== undefined && (
          <div className="quiet small">
            {say('systems.fresh.oldest', { span: format.span(cache.oldestServedMs) })}
          </div>
        )}
        {cache.forgottenAt !== undefined && (
          <div className="quiet small">
            {say('systems.forgotten', { moment: format.moment(cache.forgottenAt) })}
          </div>
        )}
      </td>
      <td className="nowrap">{snapshot ? <Snapshot snapshot={snapshot} /> : '–'}</td>
      <td className="nowrap">
        <Probe probe={system.probe} />
      </td>
      <td className="end">
        {cache.on && (
          <Button
            onClick={() =>
              act({
                path: fill(endpoints.forget.path, { system: id }),
                title: say('forget.title', { system: name }),
                text: say('forget.text'),
                button: say('forget'),
                done: () => say('forget.done', { system: name }),
              })
            }
          >
            {say('forget')}
          </Button>
        )}
      </td>
    </tr>
  );
}

function Snapshot({
  snapshot: { state, ageMs },
}: {
  readonly snapshot: NonNullable<SystemState['snapshot']>;
}): ReactNode {
  const { say, format } = useWords();
  return (
    <>
      <ObjectStatus state={snapshotLooks[state]} showDefaultIcon>
        {say(`snapshot.${state}`)}
      </ObjectStatus>
      {ageMs !== undefined && (
        <div className="quiet small">{say('snapshot.age', { span: format.span(ageMs) })}</div>
      )}
    </>
  );
}

function Probe({ probe: { state, at, detail } }: Pick<SystemState, 'probe'>): ReactNode {
  const { say, format } = useWords();
  if (state === 'off' || state === 'untried') return <span className="quiet">{say(`probe.${state}`)}</span>;
  return (
    <>
      <ObjectStatus state={state === 'agrees' ? 'Positive' : 'Critical'} showDefaultIcon>
        {say(`probe.${state}`)}
      </ObjectStatus>
      {(at ?? detail) !== undefined && (
        <div className="quiet small">
          <div>{detail}</div>
          {at !== undefined && format.ago(at)}
        </div>
      )}
    </>
  );
}
