/** Certificates and secrets that will end, the soonest first. */
import { ObjectStatus } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import type { Expiring } from '../api/overview.ts';
import { Columns, type Column } from './columns.tsx';
import { useWords } from './words.tsx';

const columns: readonly Column[] = [
  'expiry.what',
  'expiry.kind',
  'expiry.subject',
  'expiry.at',
  'expiry.left',
];

export function Expiries({ expiring }: { readonly expiring: readonly Expiring[] }): ReactNode {
  const { say, format } = useWords();
  if (expiring.length === 0) return <p className="quiet">{say('expiry.none')}</p>;
  return (
    <table className="lines">
      <Columns columns={columns} />
      <tbody>
        {expiring.map(({ kind, what, subject, notAfter, daysLeft }) => (
          <tr key={`${kind} ${what} ${notAfter}`}>
            <th scope="row">
              <code>{what}</code>
            </th>
            <td>{say(`expiry.${kind}`)}</td>
            <td>{subject ?? '–'}</td>
            <td>{format.day(notAfter)}</td>
            <td>
              <ObjectStatus
                state={daysLeft < 8 ? 'Negative' : daysLeft < 31 ? 'Critical' : 'Positive'}
                showDefaultIcon
              >
                {say('expiry.days', { count: format.count(Math.floor(daysLeft)) })}
              </ObjectStatus>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
