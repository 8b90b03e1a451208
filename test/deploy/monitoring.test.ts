/** Alerts and dashboard ask for figures that a gateway has, and each alert has its row of what to do. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

import { parse } from 'yaml';
import { z } from 'zod';

import { dashboard } from '../../deploy/grafana/dashboard.ts';
import { Metrics } from '../../src/console/metrics.ts';
import { startGateway } from '../support/gateway.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(resolve(root, path), 'utf8');
const rule = z.strictObject({
  alert: z.string(),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['warning', 'critical']) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string() }),
});
const { groups } = z
  .strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(rule) })) })
  .parse(parse(read('deploy/prometheus/gatehouse.rules.yaml')));
const alerts = groups.flatMap(({ rules }) => rules);

/** Names of figures, without what PromQL and histograms add. */
function figuresIn(expression: string): string[] {
  const found = expression.match(/\b(?:gatehouse|process|nodejs)_\w+/g) ?? [];
  return found.map((name) => name.replace(/_bucket$/, ''));
}

async function figuresOf(): Promise<ReadonlySet<string>> {
  const file = { type: 'file', path: '/dev/null' } as const;
  const audit = { directory: 'audit', instance: 'test', keyFile: 'keys/audit.key', destinations: { file } };
  await using gateway = await startGateway({ config: { audit } });
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  return new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name));
}

test('every figure that an alert or a panel asks for is one of the gateway’s', async () => {
  const known = await figuresOf();
  const panels = z
    .array(z.object({ targets: z.array(z.object({ expr: z.string() })).optional() }))
    .parse(dashboard.panels);
  const asked = [
    ...alerts.flatMap(({ expr }) => figuresIn(expr)),
    ...panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => figuresIn(expr))),
  ];
  assert.ok(asked.length > 30);
  assert.deepEqual(
    asked.filter((name) => !known.has(name)),
    [],
  );
});

/** Figure → its labels, as the page of figures has them. */
const labelsOf = new Map(
  [...read('docs/operations.md').matchAll(/^\| ((?:`gatehouse_\w+`(?:, )?)+) \| ([^|]*) \|/gm)].flatMap(
    ([, names = '', labels = '']) =>
      [...names.matchAll(/\w+/g)].map(([name]) => [name, labels.match(/\w+/g) ?? []] as const),
  ),
);

test('every label that an alert or a panel goes by is one that its figure has', () => {
  const target = z.object({ expr: z.string(), legendFormat: z.string() });
  const panels = z.array(z.object({ targets: z.array(target).optional() })).parse(dashboard.panels);
  const asked = [
    ...alerts.map(({ expr, annotations }) => [expr, Object.values(annotations).join()] as const),
    ...panels.flatMap(({ targets = [] }) =>
      targets.map(({ expr, legendFormat }) => [expr, legendFormat] as const),
    ),
  ];
  for (const [expr, shown] of asked) {
    const known = new Set(['le', 'instance', ...figuresIn(expr).flatMap((name) => labelsOf.get(name) ?? [])]);
    const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, labels = '']) => labels.split(/, ?/));
    const named = [...shown.matchAll(/\{\{ ?(?:\$labels\.)?(\w+) ?\}\}/g)].map(([, label = '']) => label);
    assert.deepEqual(
      [...grouped, ...named].filter((label) => !known.has(label)),
      [],
      expr,
    );
  }
});

test('every event that an alert or a panel counts is one of the trail’s', () => {
  const text = `${read('deploy/prometheus/gatehouse.rules.yaml')}${JSON.stringify(dashboard)}`;
  const events = [...text.matchAll(/event=~?\\?"([^"\\]+)/g)].flatMap(([, names = '']) => names.split('|'));
  const documented = read('docs/audit-format.md');
  assert.ok(events.length > 10);
  assert.deepEqual(
    events.filter((event) => !documented.includes(`\`${event}\``)),
    [],
  );
});

test('what an alert counts is there from the start with 0, so that the first time is an increase', async () => {
  const { text } = await new Metrics('1.2.3').scrape();
  const counted = alerts
    .flatMap(({ expr }) => [...expr.matchAll(/increase\((gatehouse_\w+\{(?:event|error)="[^"]+"\})/g)])
    .map(([, series = '']) => series);
  assert.ok(counted.length > 9);
  for (const series of counted) assert.ok(text.includes(`\n${series} 0\n`), series);
});

test('the dashboard that is delivered is the one that is made', () => {
  assert.deepEqual(JSON.parse(read('deploy/grafana/gatehouse.json')), dashboard);
});

test('every alert has its row of what to do, and every row its alert', () => {
  const rows = [...read('docs/operations.md').matchAll(/^\| `(Gatehouse\w+)` \|/gm)].map(
    ([, name = '']) => name,
  );
  assert.deepEqual(rows.toSorted(), alerts.map(({ alert }) => alert).toSorted());
});
