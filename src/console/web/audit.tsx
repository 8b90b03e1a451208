/** The audit trail: what happened, of all replicas, and whether it still is what was written. */
import { DynamicPage, DynamicPageTitle, FlexibleColumnLayout, Title } from '@ui5/webcomponents-react';
import { useState, type ReactNode } from 'react';

import { endpoints } from '../api/endpoints.ts';
import type { AuditHealth, AuditQuery, Histogram } from '../api/trail.ts';
import { AuditActions } from './audit-actions.tsx';
import { AuditSearch, Criteria } from './audit-search.tsx';
import { Empty, Refused } from './busy.tsx';
import { Facets } from './facets.tsx';
import { useFetched } from './fetched.ts';
import { HistogramChart } from './histogram-chart.tsx';
import { useNavigation } from './navigation.tsx';
import { Patterns } from './outcomes.tsx';
import { RecordDetailPage } from './record-detail.tsx';
import { RecordTable } from './record-table.tsx';
import { useRecords } from './records.ts';
import { parametersOf } from './route.ts';
import { Silences } from './silences.tsx';
import { useWords } from './words.tsx';

/** A record needs more room than a list of few columns. */
const columns = { desktop: { TwoColumnsStartExpanded: { layout: ['58%', '42%', '0px'] } } };

export function AuditPage(): ReactNode {
  const { view, go } = useNavigation();
  return (
    <FlexibleColumnLayout
      layoutsConfiguration={columns}
      layout={view.record === undefined ? 'OneColumn' : 'TwoColumnsStartExpanded'}
      className="page"
      startColumn={
        <div className="column">
          <Search />
        </div>
      }
      midColumn={
        view.record === undefined ? (
          <div />
        ) : (
          <div className="column">
            <RecordDetailPage
              key={view.record}
              id={view.record}
              open={(record) => go({ ...view, page: 'audit', record })}
              close={() => go({ ...view, page: 'audit', record: undefined })}
            />
          </div>
        )
      }
    />
  );
}

function Search(): ReactNode {
  const { say, format } = useWords();
  const { view, go } = useNavigation();
  const [turn, setTurn] = useState(0);
  const { query } = view;
  const order = view.order ?? 'newest';
  const parameters = parametersOf(query).toString();
  const histogram = useFetched<Histogram>(
    `${endpoints.histogram.path}?${parameters}${parameters && '&'}bars=120`,
  );
  const records = useRecords(parameters, order, turn);
  const health = useFetched<AuditHealth>(endpoints.trails.path);
  const change = (changes: Partial<AuditQuery>): void =>
    go({ ...view, page: 'audit', query: without({ ...query, ...changes }), record: undefined });
  const refusal = records.refusal ?? histogram.refusal;
  const found = histogram.value;

  return (
    <DynamicPage
      hidePinButton
      className="page search-page"
      titleArea={
        <DynamicPageTitle
          heading={
            <Title level="H1" size="H3">
              {say('page.audit')}
            </Title>
          }
          subheading={
            <span className="quiet">
              {found && say('audit.found', { count: format.count(found.total) })}
              {health.value &&
                ` · ${say('audit.trails', { trails: health.value.trails.length, records: format.count(health.value.records) })}`}
            </span>
          }
          actionsBar={
            <div className="actions bar">
              <AuditActions
                query={query}
                health={health.value}
                again={() => {
                  setTurn(turn + 1);
                  histogram.again();
                  health.again();
                }}
                order={order}
                turnAround={() =>
                  go({ ...view, page: 'audit', order: order === 'newest' ? 'oldest' : undefined })
                }
              />
            </div>
          }
        />
      }
    >
      <Patterns />
      <div className="audit">
        <AuditSearch query={query} change={change} />
        <Criteria query={query} change={change} />
        {health.value && <Silences health={health.value} damages={found?.damages ?? []} />}
        {refusal && <Refused refusal={refusal} again={() => setTurn(turn + 1)} />}
        {found && <HistogramChart histogram={found} brush={(from, to) => change({ from, to })} />}
        <div className="audit-found">
          {found && found.total > 0 && view.record === undefined && (
            <Facets facets={found.facets} query={query} change={change} />
          )}
          {records.rows.length === 0 && !records.busy ? (
            !refusal && (
              <Empty
                search
                title={say('records.none')}
                text={say(query.pseudonym ? 'records.none.person' : 'records.none.hint')}
              />
            )
          ) : (
            <RecordTable
              // Another search begins at its own first row.
              key={`${parameters} ${order}`}
              records={records}
              chosen={view.record}
              choose={(record) => go({ ...view, page: 'audit', record })}
              replicas={(health.value?.trails.length ?? 0) > 1}
            />
          )}
        </div>
      </div>
    </DynamicPage>
  );
}

const without = (query: AuditQuery): AuditQuery =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));
