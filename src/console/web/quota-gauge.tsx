/** A tenant's minute: what went up, the pace that is kept, and what the tenant would grant. */
import { ObjectStatus } from '@ui5/webcomponents-react';
import type { ReactNode } from 'react';

import type { TenantGauge } from '../api/overview.ts';
import { useWords } from './words.tsx';

export function QuotaGauge({ gauge }: { readonly gauge: TenantGauge }): ReactNode {
  const { say, format } = useWords();
  const { upLastMinute, perMinute, tenantLimit, queued, predictedWaitMs, tempo } = gauge;
  const full = Math.max(tenantLimit, perMinute, upLastMinute, 1) * 1.04;
  const at = (value: number): string => `${(value / full) * 100}%`;
  const label = say('quota.label', {
    up: format.count(upLastMinute),
    pace: format.count(perMinute),
    limit: format.count(tenantLimit),
  });
  const load = upLastMinute / Math.max(perMinute, 1);
  return (
    <div className="quota">
      <div className="quota-head">
        <span className="quota-name">{gauge.tenant}</span>
        <TenantStatus gauge={gauge} />
      </div>
      <svg width="100%" height="34" role="img" aria-label={label}>
        <title>{label}</title>
        <rect y="6" width="100%" height="16" rx="3" className="fill-track" />
        <rect y="6" width={at(perMinute)} height="16" rx="3" className="fill-pace" />
        <rect
          y="10"
          width={at(upLastMinute)}
          height="8"
          rx="2"
          className={load > 0.95 ? 'fill-critical' : 'fill-measure'}
        />
        <line x1={at(perMinute)} x2={at(perMinute)} y1="3" y2="25" className="mark" />
        <line x1={at(tenantLimit)} x2={at(tenantLimit)} y1="3" y2="25" className="mark limit" />
      </svg>
      <dl className="quota-figures">
        <Figure name={say('quota.up')} value={format.count(upLastMinute)} />
        <Figure name={say('quota.pace')} value={format.count(perMinute)} />
        <Figure name={say('quota.limit')} value={format.count(tenantLimit)} />
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

function Figure({ name, value }: { readonly name: string; readonly value: string }): ReactNode {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
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
  return (
    <ObjectStatus state="Positive" showDefaultIcon>
      {say(gauge.shared ? 'tenant.shared' : 'tenant.open')}
    </ObjectStatus>
  );
}
