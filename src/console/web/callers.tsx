/** What each caller may do, and did. */
import type { ReactNode } from 'react';

import type { CallerState, Permitted } from '../api/parties.ts';
import { Card } from './card.tsx';
import { Columns, type Column } from './columns.tsx';
import { MixBar } from './outcomes.tsx';
import { useWords } from './words.tsx';

const columns: readonly Column[] = [
  'column.caller',
  'callers.may',
  ['callers.reads', 'end'],
  ['callers.writes', 'end'],
  'mix',
  'callers.last',
];

export function Callers({ callers }: { readonly callers: readonly CallerState[] }): ReactNode {
  const { say, format } = useWords();
  return (
    <Card title={say('callers')} note={say('callers.note')}>
      <div className="scroll" tabIndex={0} role="region" aria-label={say('callers')}>
        <table className="lines">
          <Columns columns={columns} />
          <tbody>
            {callers.map(({ name, may, sourceNetworks, reads, writes, outcomes, lastAt }) => (
              <tr key={name}>
                <th scope="row">
                  <div>{name}</div>
                  {sourceNetworks && <div className="quiet small">{sourceNetworks.join(', ')}</div>}
                </th>
                <td>
                  <ul className="plain">
                    {may.map((permitted) => (
                      <Permission key={JSON.stringify(permitted)} permitted={permitted} />
                    ))}
                  </ul>
                </td>
                <td className="end">{format.count(reads)}</td>
                <td className="end">{format.count(writes)}</td>
                <td className="mix-cell">
                  <MixBar outcomes={outcomes} />
                </td>
                <td className="nowrap">{lastAt === undefined ? say('callers.never') : format.ago(lastAt)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Permission({
  permitted: { what, resourceTypes, systems, without },
}: {
  readonly permitted: Permitted;
}): ReactNode {
  const { say } = useWords();
  const which = systems === 'all' ? say('may.systems.all') : systems.join(', ');
  const types = resourceTypes === 'all' ? say('may.types.all') : (resourceTypes ?? []).join(', ');
  return (
    <li>
      {typeof what === 'string'
        ? say('may.interface', { name: what, systems: which })
        : say('may.access', {
            access: what.map((access) => say(`may.${access}`)).join(', '),
            types,
            systems: which,
          })}
      {without.length > 0 && ` ${say('may.without', { attributes: without.join(', ') })}`}
    </li>
  );
}
