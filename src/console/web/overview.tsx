/** What is the case now: traffic, quota, and everything that will need somebody soon. */
import { MessageStrip, ObjectStatus } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import type { Overview } from '../api/overview.ts';
import { Card } from './card.tsx';
import { AuditFigures, Destinations } from './delivery.tsx';
import { Expiries } from './expiries.tsx';
import { useLive } from './live.ts';
import { MixBar, MixTable, Patterns, sumOf } from './outcomes.tsx';
import { PageFrame } from './page-frame.tsx';
import { QuotaGauge } from './quota-gauge.tsx';
import { Shortages } from './shortages.tsx';
import { Tiles } from './tiles.tsx';
import { TrafficChart } from './traffic-chart.tsx';
import { useWords } from './words.tsx';

export function OverviewPage(): ReactNode {
  const { say, format } = useWords();
  const { overview, connected, refusal } = useLive();
  return (
    <PageFrame
      heading={say('page.overview')}
      note={overview && say('overview.since', { moment: format.moment(overview.startedAt) })}
      actions={
        <div className="actions bar">
          <ObjectStatus state={connected ? 'Positive' : 'Critical'} showDefaultIcon>
            {say(connected ? 'live.on' : 'live.off')}
          </ObjectStatus>
        </div>
      }
      refusal={refusal}
    >
      {overview && <Dashboard overview={overview} />}
    </PageFrame>
  );
}

function Dashboard({ overview }: { readonly overview: Overview }): ReactNode {
  const { say, format } = useWords();
  const { traffic, outcomes, tenants } = overview;
  const isAlone = tenants.every(({ replicas }) => replicas === 1);
  return (
    <div className="dashboard">
      <Patterns />
      {!overview.ready && (
        <MessageStrip design="Negative" hideCloseButton className="strip all">
          {say('overview.notReady')} {overview.obstacles.join(' ')}
        </MessageStrip>
      )}
      <Shortages shortages={overview.shortages} />
      <Tiles overview={overview} />
      <Card title={say('traffic')} note={say('traffic.note')} className="two-thirds">
        <TrafficChart steps={traffic} />
      </Card>
      <Card
        title={say('mix')}
        note={say('mix.note', { count: format.count(sumOf(outcomes)) })}
        className="third"
      >
        <MixBar outcomes={outcomes} height={20} />
        <MixTable outcomes={outcomes} />
        <Latency latency={overview.latency} />
      </Card>
      <Card title={say('quota')} note={say(isAlone ? 'quota.note' : 'quota.note.replica')} className="half">
        {tenants.map((gauge) => (
          <QuotaGauge key={gauge.tenant} gauge={gauge} />
        ))}
      </Card>
      <Card title={say('audit.health')} className="half">
        <AuditFigures pulse={overview.audit} />
        <Destinations destinations={overview.destinations} />
      </Card>
      <Card title={say('expiry')} note={say('expiry.note')} className="all">
        <Expiries expiring={overview.expiring} />
      </Card>
    </div>
  );
}

function Latency({ latency }: { readonly latency: Overview['latency'] }): ReactNode {
  const { say, format } = useWords();
  const parts = ['p50', 'p90', 'p99', 'max'] as const;
  return (
    <dl className="figure-row">
      {parts.map((part) => (
        <div key={part}>
          <dt>{say(`latency.${part}`)}</dt>
          <dd>{latency ? format.span(latency[part]) : '–'}</dd>
        </div>
      ))}
    </dl>
  );
}
