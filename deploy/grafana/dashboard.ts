/**
 * The dashboard for Grafana as data: `node deploy/grafana/dashboard.ts > deploy/grafana/gatehouse.json`. Panels ask for the
 * figures of docs/operations.md alone; a test holds each against a gateway that runs.
 */
interface Panel {
  readonly title: string;
  readonly description: string;
  readonly unit?: string;
  readonly kind?: 'timeseries' | 'stat' | 'gauge' | 'table';
  /** Query → legend. */
  readonly queries: Readonly<Record<string, string>>;
  /** From which value on it is yellow, and red. */
  readonly thresholds?: readonly [yellow: number, red: number];
  readonly max?: number;
}

const on = '{instance=~"$instance"}';
const withLabels = (labels: string): string => `{instance=~"$instance", ${labels}}`;
const rate = (metric: string, by: string, labels = ''): string =>
  `sum by (${by}) (rate(${metric}${labels ? withLabels(labels) : on}[$__rate_interval]))`;
const quantile = (metric: string, by: string, q: number): string =>
  `histogram_quantile(${q}, sum by (le, ${by}) (rate(${metric}_bucket${on}[$__rate_interval])))`;

/** @param by the label that tells its lines apart */
const timeBy = (metric: string, by: string): Panel['queries'] => ({
  [quantile(metric, by, 0.5)]: `{{${by}}} median`,
  [quantile(metric, by, 0.99)]: `{{${by}}} p99`,
});

const rows: Readonly<Record<string, readonly Panel[]>> = {
  Now: [
    {
      title: 'Takes calls',
      description: 'Replicas that are ready.',
      kind: 'stat',
      queries: { [`sum(gatehouse_ready${on})`]: 'ready' },
    },
    {
      title: 'Calls',
      description: 'Answered in a second.',
      kind: 'stat',
      unit: 'reqps',
      queries: { [`sum(rate(gatehouse_calls_total${on}[$__rate_interval]))`]: 'calls' },
    },
    {
      title: 'Remembered',
      description: 'Share of the reads that did not ask the tenant.',
      kind: 'stat',
      unit: 'percentunit',
      queries: {
        [`sum(rate(gatehouse_calls_total${withLabels('cache=~"hit|stale|snapshot"')}[$__rate_interval])) / sum(rate(gatehouse_calls_total${withLabels('cache!=""')}[$__rate_interval]))`]:
          'remembered',
      },
    },
    {
      title: 'Longest wait',
      description: 'What whoever comes last waits for the quota.',
      kind: 'gauge',
      unit: 's',
      thresholds: [20, 45],
      max: 60,
      queries: { [`max by (tenant) (gatehouse_quota_longest_wait_seconds${on})`]: '{{tenant}}' },
    },
    {
      title: 'Ends next',
      description: 'The certificate, list or secret that ends first.',
      kind: 'stat',
      unit: 's',
      queries: { [`min(gatehouse_end_timestamp_seconds${on} - time())`]: 'until' },
    },
    {
      title: 'Disk of the trail',
      description: 'What it still takes.',
      kind: 'stat',
      unit: 'bytes',
      queries: { [`min(gatehouse_audit_free_bytes${on})`]: 'free' },
    },
  ],
  Callers: [
    {
      title: 'Calls by outcome',
      description: 'Answers in a second, by status.',
      unit: 'reqps',
      queries: { [rate('gatehouse_calls_total', 'status')]: '{{status}}' },
    },
    {
      title: 'Calls by caller',
      description: 'Answers in a second, by technical user.',
      unit: 'reqps',
      queries: { [rate('gatehouse_calls_total', 'caller')]: '{{caller}}' },
    },
    {
      title: 'Time of a call',
      description: 'From the head of a call to its answer, waiting included.',
      unit: 's',
      queries: timeBy('gatehouse_call_seconds', 'operation'),
    },
    {
      title: 'Refused by the gateway',
      description: 'By kind, as docs/errors.md explains them.',
      unit: 'reqps',
      queries: { [rate('gatehouse_refusals_total', 'error')]: '{{error}}' },
    },
  ],
  Tenants: [
    {
      title: 'Calls up in a minute',
      description: 'What the tenant counts, all replicas together. It slows down at 150 and refuses at 200.',
      thresholds: [140, 150],
      queries: { [`60 * ${rate('gatehouse_upstream_calls_total', 'tenant')}`]: '{{tenant}}' },
    },
    {
      title: 'Answers of the tenant',
      description: 'In a second; without a status there was none.',
      unit: 'reqps',
      queries: { [rate('gatehouse_upstream_calls_total', 'tenant, status')]: '{{tenant}} {{status}}' },
    },
    {
      title: 'Time of the tenant',
      description: 'How long it took.',
      unit: 's',
      queries: timeBy('gatehouse_upstream_seconds', 'tenant'),
    },
    {
      title: 'The queue',
      description: 'Calls that wait for their turn.',
      queries: { [`sum by (tenant) (gatehouse_quota_queued${on})`]: '{{tenant}}' },
    },
    {
      title: 'Pace that is kept to',
      description: 'Share of the configured one; less while the tenant bears less.',
      unit: 'percentunit',
      max: 1,
      queries: { [`min by (tenant) (gatehouse_quota_tempo${on})`]: '{{tenant}}' },
    },
    {
      title: 'Calls by purpose',
      description: 'What callers asked for, and what the gateway asked for itself.',
      unit: 'reqps',
      queries: { [rate('gatehouse_upstream_calls_total', 'purpose')]: '{{purpose}}' },
    },
  ],
  'Trail and helpers': [
    {
      title: 'Events that need a look',
      description: 'Records of the trail in an hour.',
      queries: {
        [`sum by (event) (increase(gatehouse_records_total${withLabels('event=~"authn.failure|authn.throttled|authn.spray_suspected|authz.denied|audit.failed|upstream.tls_failure|config.changed|config.refused|secret.changed|cache.probe_differs|guard.exceeded|load.missing|snapshot.refused|snapshot.failed|request.lost_update_suspected|cache.integrity_failure|process.fault"')}[1h]))`]:
          '{{event}}',
      },
    },
    {
      title: 'Held back',
      description: 'Holds of the guard, by kind, and snapshots that were refused.',
      thresholds: [1, 1],
      queries: {
        [`max by (kind) (gatehouse_guard_holds${on})`]: '{{kind}}',
        [`max by (collection) (gatehouse_snapshot_alarm${on})`]: 'snapshot of {{collection}}',
      },
    },
    {
      title: 'Behind the trail',
      description: 'Age of the oldest record that a destination has not got.',
      unit: 's',
      thresholds: [300, 900],
      queries: { [`max by (destination) (gatehouse_delivery_lag_seconds${on})`]: '{{destination}}' },
    },
    {
      title: 'Connections of callers',
      description: 'By listener.',
      queries: { [`sum by (listener) (gatehouse_connections${on})`]: '{{listener}}' },
    },
    {
      title: 'Redis',
      description: '1 while the cache is in use, and while replicas draw on one quota.',
      max: 1,
      queries: {
        [`min(gatehouse_cache_used${on})`]: 'cache',
        [`min by (tenant) (gatehouse_quota_shared${on})`]: 'quota of {{tenant}}',
      },
    },
    {
      title: 'Memory',
      description: 'Of the process.',
      unit: 'bytes',
      queries: { [`process_resident_memory_bytes${on}`]: '{{instance}}' },
    },
    {
      title: 'Event loop',
      description: 'How late it is, p99.',
      unit: 's',
      queries: { [`nodejs_eventloop_lag_p99_seconds${on}`]: '{{instance}}' },
    },
  ],
};

const source = { type: 'prometheus', uid: '${source}' };
const width = { stat: 4, gauge: 4, timeseries: 12, table: 12 } as const;
const height = { stat: 4, gauge: 4, timeseries: 8, table: 8 } as const;

function panelsOf(): object[] {
  const panels: object[] = [];
  let [x, y] = [0, 0];
  for (const [title, some] of Object.entries(rows)) {
    panels.push({ type: 'row', title, collapsed: false, panels: [], gridPos: { x: 0, y, w: 24, h: 1 } });
    [x, y] = [0, y + 1];
    let tallest = 0;
    for (const panel of some) {
      const { kind = 'timeseries' } = panel;
      const [w, h] = [width[kind], height[kind]];
      if (x + w > 24) [x, y] = [0, y + tallest];
      panels.push(panelOf(panel, { x, y, w, h }, panels.length + 1));
      [x, tallest] = [x + w, h];
    }
    y += tallest;
  }
  return panels;
}

function panelOf(
  { title, description, unit = 'short', kind = 'timeseries', queries, thresholds, max }: Panel,
  gridPos: object,
  id: number,
): object {
  const steps = [
    { color: 'green', value: null },
    ...(thresholds
      ? [
          { color: 'yellow', value: thresholds[0] },
          { color: 'red', value: thresholds[1] },
        ]
      : []),
  ];
  return {
    id,
    type: kind,
    title,
    description,
    gridPos,
    datasource: source,
    fieldConfig: {
      defaults: {
        unit,
        min: 0,
        ...(max !== undefined && { max }),
        thresholds: { mode: 'absolute', steps },
        ...(kind === 'timeseries' && {
          custom: {
            lineWidth: 2,
            fillOpacity: 8,
            showPoints: 'never',
            thresholdsStyle: { mode: thresholds ? 'line' : 'off' },
          },
        }),
      },
      overrides: [],
    },
    options:
      kind === 'timeseries'
        ? { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } }
        : { reduceOptions: { calcs: ['lastNotNull'] } },
    targets: Object.entries(queries).map(([expr, legendFormat], at) => ({
      refId: String.fromCodePoint(65 + at),
      datasource: source,
      expr,
      legendFormat,
    })),
  };
}

export const dashboard = {
  title: 'Gatehouse',
  uid: 'gatehouse',
  tags: ['gatehouse'],
  schemaVersion: 39,
  editable: true,
  refresh: '30s',
  time: { from: 'now-6h', to: 'now' },
  timezone: 'browser',
  templating: {
    list: [
      { name: 'source', label: 'Prometheus', type: 'datasource', query: 'prometheus' },
      {
        name: 'instance',
        label: 'Replica',
        type: 'query',
        datasource: source,
        query: 'label_values(gatehouse_build_info, instance)',
        refresh: 2,
        includeAll: true,
        multi: true,
        allValue: '.*',
        current: { text: 'All', value: '$__all' },
      },
    ],
  },
  panels: panelsOf(),
};

if (import.meta.main) process.stdout.write(`${JSON.stringify(dashboard, null, 2)}\n`);
