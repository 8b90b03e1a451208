/** The trails of all replicas: how far each reaches and whether it still speaks. */
import { Button, Dialog, ObjectStatus } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import type { AuditHealth, TrailState } from '../api/trail.ts';
import { useWords } from './words.tsx';

interface TrailsDialogProps {
  readonly open: boolean;
  readonly close: () => void;
  readonly health: AuditHealth | undefined;
}

export function TrailsDialog({ open, close, health }: TrailsDialogProps): ReactNode {
  const { say, format } = useWords();
  return (
    <Dialog
      open={open}
      headerText={say('trails')}
      onClose={close}
      footer={
        <div className="dialog-buttons">
          <Button design="Emphasized" onClick={close}>
            {say('close')}
          </Button>
        </div>
      }
    >
      <table className="lines">
        <thead>
          <tr>
            <th scope="col">{say('column.replica')}</th>
            <th scope="col">{say('state')}</th>
            <th scope="col" className="end">
              {say('trails.records')}
            </th>
            <th scope="col" className="end">
              {say('trails.bytes')}
            </th>
            <th scope="col">{say('trails.last')}</th>
            <th scope="col">{say('audit.checkpoint')}</th>
          </tr>
        </thead>
        <tbody>
          {health?.trails.map((trail) => (
            <tr key={trail.chain}>
              <th scope="row" title={trail.chain}>
                {trail.instance}
              </th>
              <td>
                <Speaking trail={trail} />
              </td>
              <td className="end">{format.count(trail.records)}</td>
              <td className="end">{format.bytes(trail.bytes)}</td>
              <td>{trail.lastAt === undefined ? '–' : format.moment(trail.lastAt)}</td>
              <td>{trail.checkpoint ? format.count(trail.checkpoint.size) : '–'}</td>
            </tr>
          ))}
          {health?.missing.map(({ origin, namedBy, size }) => (
            <tr key={origin}>
              <th scope="row">
                <code>{origin}</code>
              </th>
              <td>
                <ObjectStatus state="Negative" showDefaultIcon>
                  {say('trails.missing', { namedBy })}
                </ObjectStatus>
              </td>
              <td className="end">{format.count(size)}</td>
              <td className="end">–</td>
              <td>–</td>
              <td>–</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}

function Speaking({ trail }: { readonly trail: TrailState }): ReactNode {
  const { say } = useWords();
  if (trail.silent)
    return (
      <ObjectStatus state="Critical" showDefaultIcon>
        {say('trails.silent')}
      </ObjectStatus>
    );
  return (
    <ObjectStatus state={trail.running ? 'Positive' : 'Information'} showDefaultIcon>
      {say(trail.running ? 'trails.running' : 'trails.ended')}
    </ObjectStatus>
  );
}
