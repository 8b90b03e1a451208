/** Where alerts go to, and a button for each that sends one to see whether it arrives. */
import { Button, ObjectStatus } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { AlertChannel } from '../api/parties.ts';
import type { Action } from './action-dialog.tsx';
import { fill } from './api.ts';
import { Card } from './card.tsx';
import { useWords } from './words.tsx';

interface AlertChannelsProps {
  readonly channels: readonly AlertChannel[];
  readonly act: (action: Action) => void;
}

export function AlertChannels({ channels, act }: AlertChannelsProps): ReactNode {
  const { say, format } = useWords();
  if (channels.length === 0) return null;
  return (
    <Card title={say('channels')} note={say('channels.note')}>
      <table className="lines">
        <thead>
          <tr>
            <th scope="col">{say('channels.name')}</th>
            <th scope="col">{say('channels.type')}</th>
            <th scope="col">{say('state')}</th>
            <th scope="col" className="end">
              {say('channels.waiting')}
            </th>
            <th scope="col">
              <span className="unseen">{say('actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {channels.map(({ name, type, working, waiting }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{type}</td>
              <td>
                {working === undefined ? (
                  <span className="quiet">{say('channels.untried')}</span>
                ) : (
                  <ObjectStatus state={working ? 'Positive' : 'Negative'} showDefaultIcon>
                    {say(working ? 'channels.working' : 'channels.failing')}
                  </ObjectStatus>
                )}
              </td>
              <td className="end">{format.count(waiting)}</td>
              <td className="end">
                <Button
                  onClick={() =>
                    act({
                      path: fill(endpoints.testAlert.path, { channel: name }),
                      title: say('channels.test.title', { channel: name }),
                      text: say('channels.test.text'),
                      button: say('channels.test'),
                      done: () => say('channels.test.done', { channel: name }),
                    })
                  }
                >
                  {say('channels.test')}
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Card>
  );
}
