/** A tenant's minute: what went up, the pace that is kept, and what the tenant would grant. */
import { ObjectStatus } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import type { TenantGauge } from '../api/overview.ts';
import { useWords } from './words.tsx';

export function QuotaGauge({ gauge }: { readonly gauge: TenantGauge }): ReactNode {
  const { say, format } = useWords();
  const { upLastMinute, tenantLimit, queued, predictedWaitMs, tempo, perMinute, replicas, part } = gauge;
  const pace = paceOf(gauge);
  const isAlone = replicas === 1;
  const full = Math.max(tenantLimit, perMinute, upLastMinute, 1) * 1.04;
  const at = (value: number): string => `${(value / full) * 100}%`;
  const label = say(isAlone ? 'quota.label' : 'quota.label.replica', {
    up: format.count(upLastMinute),
    pace: format.count(pace),
    limit: format.count(tenantLimit),
  });
  const parted = { part: format.count(part), pace: format.count(perMinute) };
  const load = upLastMinute / Math.max(pace, 1);
  return (
    <div className="quota">
      <div className="quota-head">
        <span className="quota-name">{gauge.tenant}</span>
        <TenantStatus gauge={gauge} />
      </div>
      <svg width="100%" height="28" role="img" aria-label={label}>
        <title>{label}</title>
        <rect y="6" width="100%" height="16" rx="3" className="fill-track" />
        <rect
          y="6"
          width={at(upLastMinute)}
          height="16"
          rx="3"
          className={load > 0.95 ? 'fill-critical' : 'fill-measure'}
        />
        <line x1={at(pace)} x2={at(pace)} y1="3" y2="25" className="mark" />
        <line x1={at(tenantLimit)} x2={at(tenantLimit)} y1="3" y2="25" className="mark limit" />
      </svg>
      {!isAlone && (
        <p className="quiet small">{say(gauge.shared ? 'quota.part.shared' : 'quota.part.kept', parted)}</p>
      )}
      <dl className="quota-figures">
        <Figure name={say(isAlone ? 'quota.up' : 'quota.up.replica')} value={format.count(upLastMinute)} />
        <Figure
          name={say('quota.pace')}
          value={pace === perMinute ? format.count(pace) : say('quota.part', parted)}
          mark="pace"
        />
        <Figure name={say('quota.limit')} value={format.count(tenantLimit)} mark="limit" />
        <Figure name={say('quota.queued')} value={format.count(queued)} />
        <Figure
          name={say('quota.wait')}
          value={queued === 0 && predictedWaitMs === 0 ? '–' : format.span(predictedWaitMs)}
        />
        <Figure name={say('quota.tempo')} value={format.share(tempo)} />
      </dl>
    </div>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: string;
  /** By which line the bar shows it. */
  readonly mark?: 'pace' | 'limit';
}

function Figure({ name, value, mark }: FigureProps): ReactNode {
  return (
    <div>
      <dt>
        {mark && (
          <svg width="8" height="10" aria-hidden>
            <line x1="2" x2="2" y2="10" className={`mark ${mark}`} />
          </svg>
        )}
        {name}
      </dt>
      <dd>{value}</dd>
    </div>
  );
}

/** What this replica may send in a minute now. */
export function paceOf({ perMinute, replicas, part, shared }: TenantGauge): number {
  return replicas === 1 || shared ? perMinute : part;
}

export function TenantStatus({ gauge }: { readonly gauge: TenantGauge }): ReactNode {
  const { say, format } = useWords();
  if (gauge.paused)
    return (
      <ObjectStatus state="Critical" showDefaultIcon>
        {say('tenant.paused', { time: format.minute(gauge.paused.until) })}
      </ObjectStatus>
    );
  if (gauge.refusedForMs > 0)
    return (
      <ObjectStatus state="Negative" showDefaultIcon>
        {say('tenant.refused', { span: format.span(gauge.refusedForMs) })}
      </ObjectStatus>
    );
  if (gauge.replicas > 1 && !gauge.shared)
    return (
      <ObjectStatus state="Information" showDefaultIcon>
        {say('tenant.part')}
      </ObjectStatus>
    );
  return (
    <ObjectStatus state="Positive" showDefaultIcon>
      {say(gauge.shared ? 'tenant.shared' : 'tenant.open')}
    </ObjectStatus>
  );
}
