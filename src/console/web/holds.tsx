/** Bursts of changes that the guard holds back until an operator has looked. */
import { Button, ObjectStatus } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { Hold } from '../api/parties.ts';
import type { Act } from './action-dialog.tsx';
import { fill } from './api.ts';
import { Card } from './card.tsx';
import { Columns, type Column } from './columns.tsx';
import { useWords } from './words.tsx';

const columns: readonly Column[] = [
  'column.caller',
  'column.system',
  'holds.what',
  ['holds.count', 'end'],
  'holds.since',
  'state',
  ['actions', 'unseen'],
];

export function Holds({ holds, act }: { readonly holds: readonly Hold[]; readonly act: Act }): ReactNode {
  const { say } = useWords();
  if (holds.length === 0) return null;
  return (
    <Card title={say('holds')} note={say('holds.note')} className="alarm">
      <table className="lines">
        <Columns columns={columns} />
        <tbody>
          {holds.map((hold) => (
            <HoldLine key={hold.id} hold={hold} act={act} />
          ))}
        </tbody>
      </table>
    </Card>
  );
}

function HoldLine({ hold, act }: { readonly hold: Hold; readonly act: Act }): ReactNode {
  const { say, format } = useWords();
  const { id, caller, system, what, count, since, released } = hold;
  const release = (): void =>
    act({
      path: fill(endpoints.release.path, { hold: id }),
      title: say('release'),
      text: say('release.text', { count: format.count(count), caller, system }),
      button: say('release'),
      done: (given) => say('release.done', given),
      most: count,
      minutes: 60,
      minutesLabel: say('release.minutes'),
    });
  return (
    <tr>
      <th scope="row">{caller}</th>
      <td>{system}</td>
      <td>{what}</td>
      <td className="end">{format.count(count)}</td>
      <td className="nowrap">{format.moment(since)}</td>
      <td>
        <ObjectStatus state={released === undefined ? 'Critical' : 'Information'} showDefaultIcon>
          {released === undefined ? say('holds.held') : say('released', { count: format.count(released) })}
        </ObjectStatus>
      </td>
      <td className="end">
        <Button design={released === undefined ? 'Attention' : 'Default'} onClick={release}>
          {say('release')}
        </Button>
      </td>
    </tr>
  );
}
