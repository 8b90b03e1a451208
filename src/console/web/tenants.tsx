/** Who owns the quota, how it is kept to, and the lever that stops calls to one. */
import { Button } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { TenantGauge } from '../api/overview.ts';
import type { Act } from './action-dialog.tsx';
import { fill } from './api.ts';
import { Card } from './card.tsx';
import { Columns, type Column } from './columns.tsx';
import { paceOf, TenantStatus } from './quota-gauge.tsx';
import { useWords } from './words.tsx';

const columns: readonly Column[] = [
  'column.tenant',
  'state',
  ['quota.up', 'end'],
  ['quota.pace', 'end'],
  ['quota.queued', 'end'],
  ['quota.wait', 'end'],
  ['actions', 'unseen'],
];

export function Tenants({
  tenants,
  act,
}: {
  readonly tenants: readonly TenantGauge[];
  readonly act: Act;
}): ReactNode {
  const { say, format } = useWords();
  return (
    <Card title={say('tenants')} note={say('tenants.note')}>
      <table className="lines">
        <Columns columns={columns} />
        <tbody>
          {tenants.map((gauge) => (
            <tr key={gauge.tenant}>
              <th scope="row">{gauge.tenant}</th>
              <td>
                <TenantStatus gauge={gauge} />
                {gauge.paused && (
                  <div className="quiet small">
                    {say('tenant.pausedBy', { by: gauge.paused.by, reason: gauge.paused.reason })}
                  </div>
                )}
              </td>
              <td className="end">{format.count(gauge.upLastMinute)}</td>
              <td className="end">{format.count(paceOf(gauge))}</td>
              <td className="end">{format.count(gauge.queued)}</td>
              <td className="end">
                {gauge.predictedWaitMs === 0 ? '–' : format.span(gauge.predictedWaitMs)}
              </td>
              <td className="end">
                <TenantButton gauge={gauge} act={act} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function TenantButton({
  gauge: { tenant, paused },
  act,
}: {
  readonly gauge: TenantGauge;
  readonly act: Act;
}): ReactNode {
  const { say } = useWords();
  return paused ? (
    <Button
      onClick={() =>
        act({
          path: fill(endpoints.resume.path, { tenant }),
          title: say('resume.title', { tenant }),
          text: say('resume.text'),
          button: say('resume'),
          done: () => say('resume.done', { tenant }),
        })
      }
    >
      {say('resume')}
    </Button>
  ) : (
    <Button
      onClick={() =>
        act({
          path: fill(endpoints.pause.path, { tenant }),
          title: say('pause.title', { tenant }),
          text: say('pause.text'),
          button: say('pause'),
          done: ({ minutes }) => say('pause.done', { tenant, minutes }),
          minutes: 15,
          minutesLabel: say('action.minutes'),
        })
      }
    >
      {say('pause')}
    </Button>
  );
}
