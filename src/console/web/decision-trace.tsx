/** The line of a call, step by step, with what was known at each. */
import '@ui5/webcomponents-icons/dist/accept.js';
import '@ui5/webcomponents-icons/dist/circle-task-2.js';
import '@ui5/webcomponents-icons/dist/question-mark.js';
import { Icon } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import type { TraceStep } from '../api/record.ts';
import { useWords } from './words.tsx';

const icons = { passed: 'accept', ended: 'circle-task-2', unknown: 'question-mark' } as const;

export function DecisionTrace({ trace }: { readonly trace: readonly TraceStep[] }): ReactNode {
  const { say, sayOr, format } = useWords();
  const start = Date.parse(trace.find(({ at }) => at !== undefined)?.at ?? '');
  return (
    <ol className="trace">
      {trace.map(({ step, state, at, facts }, index) => (
        // Steps come in order and may repeat; nothing else tells two of them apart.
        <li key={`${step} ${index}`} className={`trace-${state}`}>
          <Icon name={icons[state]} accessibleName={say(`trace.${state}`)} mode="Image" />
          <div>
            <div className="trace-head">
              <b>{say(`step.${step}`)}</b>
              {at !== undefined && Number.isFinite(start) && (
                <span className="quiet" title={at}>
                  +{format.span(Math.max(Date.parse(at) - start, 0))}
                </span>
              )}
            </div>
            <div className="trace-facts">
              {Object.entries(facts).map(([name, value]) => (
                <span key={name}>
                  <span className="quiet">{sayOr(`fact.${name}`, name)}</span> {shown(name, value)}
                </span>
              ))}
            </div>
          </div>
        </li>
      ))}
    </ol>
  );

  function shown(name: string, value: string | number | boolean): string {
    if (typeof value === 'boolean') return say(value ? 'yes' : 'no');
    if (typeof value === 'number') return /ms$/i.test(name) ? format.span(value) : format.count(value);
    return value;
  }
}
