/** What is the case now: traffic, quota, and everything that will need somebody soon. */
import { DynamicPage, DynamicPageTitle, MessageStrip, ObjectStatus, Title } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import type { AuditPulse, DestinationGauge, Expiring, Overview } from '../api/overview.ts';
import { Busy, Refused } from './busy.tsx';
import { Card } from './card.tsx';
import { useLive } from './live.ts';
import { MixBar, MixTable, Patterns, sumOf } from './outcomes.tsx';
import { QuotaGauge } from './quota-gauge.tsx';
import { TrafficChart } from './traffic-chart.tsx';
import { useWords } from './words.tsx';

export function OverviewPage(): ReactNode {
  const { say, format } = useWords();
  const { overview, connected, refusal } = useLive();
  return (
    <DynamicPage
      hidePinButton
      className="page"
      titleArea={
        <DynamicPageTitle
          heading={
            <Title level="H1" size="H3">
              {say('page.overview')}
            </Title>
          }
          subheading={
            <span className="quiet">
              {overview && say('overview.since', { moment: format.moment(overview.startedAt) })}
            </span>
          }
          actionsBar={
            <div className="actions bar">
              <ObjectStatus state={connected ? 'Positive' : 'Critical'} showDefaultIcon>
                {say(connected ? 'live.on' : 'live.off')}
              </ObjectStatus>
            </div>
          }
        />
      }
    >
      <Patterns />
      {refusal && !overview && <Refused refusal={refusal} />}
      {overview ? <Dashboard overview={overview} /> : !refusal && <Busy />}
    </DynamicPage>
  );
}

function Dashboard({ overview }: { readonly overview: Overview }): ReactNode {
  const { say, format } = useWords();
  const { traffic, outcomes, tenants } = overview;
  return (
    <div className="dashboard">
      {!overview.ready && (
        <MessageStrip design="Negative" hideCloseButton className="strip all">
          {say('overview.notReady')} {overview.obstacles.join(' ')}
        </MessageStrip>
      )}
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
      <Card title={say('quota')} note={say('quota.note')} className="half">
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

function Tiles({
  overview: { traffic, cache, latency, running, tenants, audit },
}: {
  readonly overview: Overview;
}): ReactNode {
  const { say, format } = useWords();
  const lastMinute = traffic.slice(-7, -1);
  const calls = lastMinute.reduce((sum, step) => sum + sumOf(step), 0);
  const queued = tenants.reduce((sum, tenant) => sum + tenant.queued, 0);
  const wait = Math.max(0, ...tenants.map((tenant) => tenant.predictedWaitMs));
  return (
    <div className="tiles all">
      <Tile
        name={say('tile.calls')}
        value={format.count(calls)}
        note={say('tile.running', { count: format.count(running) })}
      />
      <Tile
        name={say('tile.hits')}
        value={cache.hitShare === undefined ? '–' : format.share(cache.hitShare)}
        note={
          cache.used
            ? say('tile.hits.note', { hits: format.count(cache.hits), reads: format.count(cache.reads) })
            : say('tile.hits.off')
        }
      />
      <Tile
        name={say('tile.latency')}
        value={latency ? format.span(latency.p90) : '–'}
        note={
          latency
            ? say('tile.latency.note', { p50: format.span(latency.p50), p99: format.span(latency.p99) })
            : say('none')
        }
      />
      <Tile
        name={say('tile.queue')}
        value={format.count(queued)}
        note={queued === 0 ? say('tile.queue.none') : say('tile.queue.wait', { span: format.span(wait) })}
      />
      <Tile
        name={say('tile.audit')}
        value={audit.checkpoint ? format.count(audit.checkpoint.size) : '–'}
        note={
          audit.checkpoint
            ? say('tile.audit.note', { time: format.time(audit.checkpoint.at) })
            : say('tile.audit.none')
        }
        state={audit.ready ? undefined : 'bad'}
      />
    </div>
  );
}

interface TileProps {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly state?: 'bad' | undefined;
}

function Tile({ name, value, note, state }: TileProps): ReactNode {
  return (
    <div className={`tile ${state ?? ''}`} role="group" aria-label={name}>
      <div className="tile-name">{name}</div>
      <div className="tile-value">{value}</div>
      <div className="quiet tile-note">{note}</div>
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

function AuditFigures({ pulse }: { readonly pulse: AuditPulse }): ReactNode {
  const { say, format } = useWords();
  return (
    <dl className="pairs">
      <div>
        <dt>{say('audit.writable')}</dt>
        <dd>
          <ObjectStatus state={pulse.ready ? 'Positive' : 'Negative'} showDefaultIcon>
            {say(pulse.ready ? 'yes' : 'audit.broken')}
          </ObjectStatus>
        </dd>
      </div>
      <div>
        <dt>{say('audit.checkpoint')}</dt>
        <dd>
          {pulse.checkpoint
            ? say('audit.checkpoint.value', {
                size: format.count(pulse.checkpoint.size),
                time: format.moment(pulse.checkpoint.at),
              })
            : say('audit.checkpoint.none')}
        </dd>
      </div>
      <div>
        <dt>{say('audit.verifiedUntil')}</dt>
        <dd>{pulse.verifiedUntil === undefined ? say('audit.never') : format.moment(pulse.verifiedUntil)}</dd>
      </div>
      {pulse.freeBytes !== undefined && (
        <div>
          <dt>{say('audit.free')}</dt>
          <dd>{format.bytes(pulse.freeBytes)}</dd>
        </div>
      )}
    </dl>
  );
}

function Destinations({ destinations }: { readonly destinations: readonly DestinationGauge[] }): ReactNode {
  const { say, format } = useWords();
  if (destinations.length === 0) return <p className="quiet">{say('sinks.none')}</p>;
  return (
    <table className="lines">
      <thead>
        <tr>
          <th scope="col">{say('sinks')}</th>
          <th scope="col">{say('state')}</th>
          <th scope="col" className="end">
            {say('sinks.lag')}
          </th>
          <th scope="col" className="end">
            {say('sinks.records')}
          </th>
          <th scope="col" className="end">
            {say('sinks.sent')}
          </th>
        </tr>
      </thead>
      <tbody>
        {destinations.map(({ name, working, lagSeconds, lagRecords, sent, dropped }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>
              <ObjectStatus state={working && dropped === 0 ? 'Positive' : 'Negative'} showDefaultIcon>
                {dropped > 0
                  ? say('sinks.dropped', { count: format.count(dropped) })
                  : say(working ? 'sinks.works' : 'sinks.fails')}
              </ObjectStatus>
            </td>
            <td className="end">{format.span(lagSeconds * 1000)}</td>
            <td className="end">{format.count(lagRecords)}</td>
            <td className="end">{format.count(sent)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Expiries({ expiring }: { readonly expiring: readonly Expiring[] }): ReactNode {
  const { say, format } = useWords();
  if (expiring.length === 0) return <p className="quiet">{say('expiry.none')}</p>;
  return (
    <table className="lines">
      <thead>
        <tr>
          <th scope="col">{say('expiry.what')}</th>
          <th scope="col">{say('expiry.kind')}</th>
          <th scope="col">{say('expiry.subject')}</th>
          <th scope="col">{say('expiry.at')}</th>
          <th scope="col">{say('expiry.left')}</th>
        </tr>
      </thead>
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
