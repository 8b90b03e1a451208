/** Who calls and where to: what each may do and did, what each system costs, and the levers of an operator. */
import { Toast } from '@ui5/webcomponents-react';
import { useState, type ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { Parties } from '../api/parties.ts';
import { ActionDialog, type Action } from './action-dialog.tsx';
import { AlertChannels } from './alert-channels.tsx';
import { Callers } from './callers.tsx';
import { useFetched } from './fetched.ts';
import { Holds } from './holds.tsx';
import { Patterns } from './outcomes.tsx';
import { PageFrame } from './page-frame.tsx';
import { Systems } from './systems.tsx';
import { Tenants } from './tenants.tsx';
import { useWords } from './words.tsx';

export function PartiesPage(): ReactNode {
  const { say, format } = useWords();
  const { value, refusal, again } = useFetched<Parties>(endpoints.parties.path, 5000);
  const [action, setAction] = useState<Action>();
  const [done, setDone] = useState<string>();
  return (
    <>
      <PageFrame
        heading={say('page.parties')}
        note={value && say('parties.since', { moment: format.moment(value.since) })}
        refusal={refusal}
        again={again}
      >
        {value && (
          <div className="stack">
            <Patterns />
            <Holds holds={value.holds} act={setAction} />
            <Tenants tenants={value.tenants} act={setAction} />
            <Systems systems={value.systems} act={setAction} />
            <Callers callers={value.callers} />
            <AlertChannels channels={value.channels} act={setAction} />
          </div>
        )}
      </PageFrame>
      <ActionDialog
        action={action}
        close={() => setAction(undefined)}
        done={(says) => {
          setDone(says);
          again();
        }}
      />
      <Toast open={done !== undefined} duration={5000} onClose={() => setDone(undefined)}>
        {done}
      </Toast>
    </>
  );
}
