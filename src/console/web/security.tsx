/** Every hardening check of this installation with its state and what to do; what needs somebody comes first. */
import { ObjectStatus, SegmentedButton, SegmentedButtonItem } from '@ui5/webcomponents-react';
import { useState, type ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { SecurityWord } from '../api/security-words.ts';
import type { Security, SecurityCheck } from '../api/security.ts';
import { Empty } from './busy.tsx';
import { Card } from './card.tsx';
import { useFetched } from './fetched.ts';
import { fillIn } from './fill-in.ts';
import { PageFrame } from './page-frame.tsx';
import { securityGerman } from './security-words-de.ts';
import { useWords } from './words.tsx';

const states = ['danger', 'advice', 'good'] as const satisfies readonly SecurityCheck['state'][];
const byUrgency = (some: SecurityCheck, other: SecurityCheck): number =>
  states.indexOf(some.state) - states.indexOf(other.state);
const looks = { danger: 'Negative', advice: 'Critical', good: 'Positive' } as const;

export function SecurityPage(): ReactNode {
  const { say } = useWords();
  const { value, refusal, again } = useFetched<Security>(endpoints.security.path);
  const [only, setOnly] = useState<SecurityCheck['state']>();
  const checks = (value?.checks ?? []).filter(({ state }) => only === undefined || state === only);
  const worst = checks.toSorted(byUrgency);
  const areas = [...new Set(worst.map(({ area }) => area))];
  const countOf = (state: SecurityCheck['state']): number =>
    value?.checks.filter((check) => check.state === state).length ?? 0;
  return (
    <PageFrame heading={say('page.security')} note={say('security.note')} refusal={refusal} again={again}>
      {value && (
        <div className="stack">
          <SegmentedButton
            accessibleName={say('security.filter')}
            onSelectionChange={({ detail }) =>
              setOnly(states.find((name) => name === detail.selectedItems[0]?.dataset['value']))
            }
          >
            <SegmentedButtonItem selected={only === undefined}>
              {say('security.all', { count: value.checks.length })}
            </SegmentedButtonItem>
            {states.map((state) => (
              <SegmentedButtonItem key={state} data-value={state} selected={only === state}>
                {say(`security.${state}`)} ({countOf(state)})
              </SegmentedButtonItem>
            ))}
          </SegmentedButton>
          {areas.length === 0 && <Empty title={say('security.none')} text={say('security.none.hint')} />}
          {areas.map((area) => (
            <Card key={area} title={say(`area.${area}`)}>
              <Checks checks={checks.filter((check) => check.area === area)} />
            </Card>
          ))}
        </div>
      )}
    </PageFrame>
  );
}

function Checks({ checks }: { readonly checks: readonly SecurityCheck[] }): ReactNode {
  const { say } = useWords();
  const urgent = checks.toSorted(byUrgency);
  return (
    <table className="lines checks">
      <thead className="unseen">
        <tr>
          <th scope="col">{say('state')}</th>
          <th scope="col">{say('security.check')}</th>
          <th scope="col">{say('security.setting')}</th>
        </tr>
      </thead>
      <tbody>
        {urgent.map((check) => (
          <Check key={`${check.id} ${check.detail}`} check={check} />
        ))}
      </tbody>
    </table>
  );
}

function Check({
  check: { state, title, detail, remedy, setting, words, values },
}: {
  readonly check: SecurityCheck;
}): ReactNode {
  const { say, language } = useWords();
  const tell = (word: SecurityWord, inEnglish = ''): string =>
    language === 'de' ? fillIn(securityGerman[word], values) : inEnglish;
  return (
    <tr>
      <td className="check-state">
        <ObjectStatus state={looks[state]} showDefaultIcon>
          {say(`security.${state}`)}
        </ObjectStatus>
      </td>
      <td>
        <b>{tell(words.title, title)}</b>
        <div className="quiet">{tell(words.detail, detail)}</div>
        {words.remedy && (
          <div className="remedy">
            <b>{say('security.remedy')}</b> {tell(words.remedy, remedy)}
          </div>
        )}
      </td>
      <td className="check-setting">{setting !== undefined && <code>{setting}</code>}</td>
    </tr>
  );
}
