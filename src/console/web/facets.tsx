/** What the records that were found have in common, with counts; choosing one narrows the search. */
import { Title } from '@ui5/webcomponents-react';
import { useState, type ReactNode } from 'react';

import type { Outcomes } from '../api/overview.ts';
import type { AuditQuery, FacetValue, Histogram } from '../api/trail.ts';
import { outcomeNames, Swatch } from './outcomes.tsx';
import type { Word } from './words-en.ts';
import { useWords } from './words.tsx';

interface FacetsProps {
  readonly facets: Histogram['facets'];
  readonly query: AuditQuery;
  readonly change: (change: Partial<AuditQuery>) => void;
}

interface Choice extends FacetValue {
  readonly label: ReactNode;
  readonly change: Partial<AuditQuery>;
  readonly chosen: boolean;
}

export function Facets({ facets, query, change }: FacetsProps): ReactNode {
  const { say } = useWords();
  const plain = (name: 'caller' | 'system' | 'event'): readonly Choice[] =>
    facets[name].map((found) => ({
      ...found,
      label: found.value,
      change: { [name]: found.value },
      chosen: query[name] === found.value,
    }));
  const operations = facets.operation.map(({ kind, resourceType, ...found }) => ({
    ...found,
    label: found.value,
    change: { kind, resourceType },
    chosen: query.kind === kind && query.resourceType === resourceType,
  }));
  const outcomes = facets.outcome
    .filter(({ value }) => isOutcome(value))
    .map((found) => {
      const outcome = found.value as keyof Outcomes;
      return {
        ...found,
        label: (
          <>
            <Swatch name={outcome} /> {say(`outcome.${outcome}`)}
          </>
        ),
        change: { outcome },
        chosen: query.outcome === outcome,
      };
    });
  const instances = facets.instance.map((found) => ({
    ...found,
    label: found.value,
    change: { instance: [found.value] },
    chosen: query.instance?.includes(found.value) ?? false,
  }));
  return (
    <nav className="facets" aria-label={say('facets')}>
      <Facet name="facet.outcome" choices={outcomes} change={change} />
      <Facet name="facet.caller" choices={plain('caller')} change={change} />
      <Facet name="facet.operation" choices={operations} change={change} />
      <Facet name="facet.system" choices={plain('system')} change={change} />
      {instances.length > 1 && <Facet name="facet.instance" choices={instances} change={change} />}
      <Facet name="facet.event" choices={plain('event')} change={change} />
    </nav>
  );
}

const isOutcome = (value: string): boolean => outcomeNames.some((name) => name === value);
const atFirst = 6;

interface FacetProps {
  readonly name: Word;
  readonly choices: readonly Choice[];
  readonly change: FacetsProps['change'];
}

function Facet({ name, choices, change }: FacetProps): ReactNode {
  const { say, format } = useWords();
  const [all, showAll] = useState(false);
  if (choices.length === 0) return null;
  const most = Math.max(...choices.map(({ count }) => count), 1);
  return (
    <section>
      <Title level="H3" size="H6">
        {say(name)}
      </Title>
      <ul>
        {choices.slice(0, all ? undefined : atFirst).map((choice) => (
          <li key={choice.value}>
            <button
              type="button"
              className="facet"
              aria-pressed={choice.chosen}
              title={choice.value}
              onClick={() => change(choice.chosen ? cleared(choice.change) : choice.change)}
            >
              <span className="facet-label">{choice.label}</span>
              <span className="facet-count">{format.count(choice.count)}</span>
              <svg width="100%" height="3" aria-hidden="true">
                <rect width="100%" height="3" rx="1.5" className="fill-track" />
                <rect
                  width={`${(choice.count / most) * 100}%`}
                  height="3"
                  rx="1.5"
                  className="fill-measure"
                />
              </svg>
            </button>
          </li>
        ))}
      </ul>
      {choices.length > atFirst && (
        <button type="button" className="link" onClick={() => showAll(!all)}>
          {say(all ? 'facet.less' : 'facet.more', { count: choices.length - atFirst })}
        </button>
      )}
    </section>
  );
}

const cleared = (change: Partial<AuditQuery>): Partial<AuditQuery> =>
  Object.fromEntries(Object.keys(change).map((name) => [name, undefined]));
