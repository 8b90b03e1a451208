/** Which record becomes which alert, that none says more than it may, and that documents know what it points to. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

import { alertNames, matterOf } from '../../src/alerts/matters.ts';
import { alertingEvents, findingsIn, type Recorded } from '../../src/alerts/table.ts';

const read = (file: string): string => readFileSync(resolve(import.meta.dirname, '../..', file), 'utf8');
const person = 'jane.doe@example.com';
const address = '203.0.113.77';
/** What a record may have beside what an alert is made of. */
const others = { name: person, source: address, userName: person, reason: 'ECONNREFUSED', subject: person };

interface Row {
  readonly event: string;
  readonly record: Recorded;
  /** Name, subject, and severity or `over`, of each. */
  readonly becomes: readonly (readonly [name: string, subject: string, is: string])[];
}

const ofFacts = (event: string, facts: object, ...becomes: Row['becomes']): Row => ({
  event,
  record: { facts: { ...others, ...facts } },
  becomes,
});
const ofStatus = (status: number, ...becomes: Row['becomes']): Row => ({
  event: 'upstream.outcome',
  record: { upstream: { tenant: 'acme', system: 'people', host: 'acme.example', status } },
  becomes,
});
const burst = {
  kind: 'delete',
  caller: 'sap-idm',
  system: 'people',
  resourceType: 'Users',
  count: 51,
  limit: 50,
};
const load = { load: 'l1', caller: 'sap-idm', system: 'people', resourceType: 'Users', ids: 3, missing: 90 };
const believed = ['tenant-untrusted', 'acme acme.example', 'over'] as const;
const collection = { system: 'people', resourceType: 'Users' };

const rows: readonly Row[] = [
  ofFacts('guard.exceeded', { ...burst, action: 'refuse', hold: 'k7m', target: person }, [
    'guard-held',
    'k7m',
    'critical',
  ]),
  ofFacts('guard.exceeded', { ...burst, action: 'alert' }, [
    'guard-exceeded',
    'delete sap-idm people',
    'warning',
  ]),
  ofFacts('guard.exceeded', { ...burst, kind: 'load', action: 'alert', hold: 'k7n' }),
  ofFacts('guard.closed', { ...burst, hold: 'k7m', why: 'used up' }, ['guard-held', 'k7m', 'over']),
  ofFacts('guard.released', { ...burst, hold: 'k7m', until: '2026-11-22T13:00:00.000Z' }, [
    'guard-held',
    'k7m',
    'critical',
  ]),
  ofFacts('guard.released', { ...burst, count: 0, hold: 'k7m' }),
  ofFacts('load.completed', { ...load, verdict: 'smaller' }, ['load-smaller', 'people Users', 'warning']),
  ofFacts('load.completed', { ...load, verdict: 'empty' }, ['load-smaller', 'people Users', 'critical']),
  ofFacts('load.completed', { ...load, verdict: 'whole' }, ['load-smaller', 'people Users', 'over']),
  ofFacts('authn.spray_suspected', { pattern: 'one secret for many users', failures: 12 }, [
    'password-spraying',
    'one secret for many users',
    'warning',
  ]),
  ofFacts('audit.space_low', { freeBytes: 9, freePercent: 4.9, daysLeft: 6.5 }, [
    'audit-disk',
    'audit.directory',
    'warning',
  ]),
  ofFacts('audit.space_low', { freeBytes: 9, freePercent: 40, daysLeft: 0.9 }, [
    'audit-disk',
    'audit.directory',
    'critical',
  ]),
  ofFacts('audit.failed', { code: 'ENOSPC', refused: 3 }, ['audit-failing', 'audit.directory', 'critical']),
  ofFacts('audit.failed', { code: 'SLOW', ms: 2100 }, ['audit-slow', 'audit.directory', 'warning']),
  ofFacts('audit.recovered', { silentMs: 900 }, ['audit-failing', 'audit.directory', 'over']),
  ofFacts('audit.witness_lost', { reason: 'ECONNREFUSED' }, ['witness-lost', 'audit.witness', 'warning']),
  ofFacts(
    'audit.witness_refused',
    { reason: 'The witness has seen 9 lines, and the trail has 3.' },
    ['witness-lost', 'audit.witness', 'over'],
    ['witness-refuses', 'audit.witness', 'critical'],
  ),
  ofFacts(
    'audit.witness_back',
    {},
    ['witness-lost', 'audit.witness', 'over'],
    ['witness-refuses', 'audit.witness', 'over'],
  ),
  ofFacts('sharing.refused', {}, ['replicas-apart', 'Redis', 'critical']),
  ofFacts('sharing.resumed', {}, ['replicas-apart', 'Redis', 'over']),
  ofFacts('cert.expiring', { what: 'listen.tls.certificate', daysLeft: 6 }, [
    'ending',
    'listen.tls.certificate',
    'warning',
  ]),
  ofFacts('cert.expiring', { what: 'listen.tls.certificate', daysLeft: 0 }, [
    'ending',
    'listen.tls.certificate',
    'critical',
  ]),
  ofFacts('secret.expiring', { what: 'sap-idm', daysLeft: 13 }, ['ending', 'sap-idm', 'warning']),
  ofFacts('audit.delivery_failing', { destination: 'siem' }, ['delivery-failing', 'siem', 'warning']),
  ofFacts('audit.delivery_recovered', { destination: 'siem' }, ['delivery-failing', 'siem', 'over']),
  ofFacts('audit.delivery_lagging', { destination: 'siem', lagSeconds: 901, lagRecords: 5 }, [
    'delivery-lag',
    'siem',
    'warning',
  ]),
  ofFacts('audit.delivery_caught_up', { destination: 'siem' }, ['delivery-lag', 'siem', 'over']),
  ofFacts('audit.delivery_failed', { destination: 'siem', why: 'gone', first: 1, last: 2 }, [
    'delivery-lost',
    'siem',
    'critical',
  ]),
  ofStatus(401, believed, ['tenant-refuses', 'acme people', 'critical']),
  ofStatus(403, believed, ['tenant-refuses', 'acme people', 'critical']),
  ofStatus(204, believed, ['tenant-refuses', 'acme people', 'over']),
  ofStatus(500, believed),
  { event: 'upstream.outcome', record: { upstream: { tenant: 'acme' } }, becomes: [] },
  ofFacts(
    'upstream.tls_failure',
    { tenant: 'acme', host: 'acme.example', code: 'PIN_MISMATCH', found: ['00'] },
    ['tenant-untrusted', 'acme acme.example', 'critical'],
  ),
  {
    event: 'request.lost_update_suspected',
    record: {
      op: { system: 'people', resourceType: 'Groups' },
      actor: { name: 'sap-idm' },
      facts: { ...others, members: 3, outcome: 'sent' },
    },
    becomes: [['lost-update', 'people', 'warning']],
  },
  ofFacts(
    'snapshot.refused',
    { ...collection, fault: 'shrunk', before: 90, after: 3 },
    ['snapshot-failing', 'people Users', 'over'],
    ['snapshot-refused', 'people Users', 'warning'],
  ),
  ofFacts('snapshot.failed', { ...collection, fault: 'tenant-error', code: person }, [
    'snapshot-failing',
    'people Users',
    'warning',
  ]),
  ofFacts(
    'snapshot.recovered',
    { ...collection, resources: 90 },
    ['snapshot-refused', 'people Users', 'over'],
    ['snapshot-failing', 'people Users', 'over'],
  ),
  ofFacts('cache.integrity_failure', { count: 3, firstAt: 'then', lastAt: 'now' }, [
    'cache-tampered',
    'Redis',
    'critical',
  ]),
  ...['cache', 'quota', 'throttle', 'repeats', 'updates', 'guard', 'profiles', 'loads'].flatMap((part) => [
    ofFacts(`${part}.degraded`, { state: 'off', reason: 'ECONNREFUSED' }, ['redis-away', 'Redis', 'warning']),
    ofFacts(`${part}.recovered`, { state: 'on' }, ['redis-away', 'Redis', 'over']),
  ]),
  ofFacts('snapshot.unreachable', { state: 'off' }, ['redis-away', 'Redis', 'warning']),
  ofFacts('snapshot.reachable', { state: 'on' }, ['redis-away', 'Redis', 'over']),
  ofFacts('cache.probe_differs', { ...collection, of: 'page', attributes: [person] }, [
    'cache-differs',
    'people Users',
    'warning',
  ]),
  ofFacts('process.fault', { causes: [{ name: 'TypeError', message: person, at: 'here' }] }, [
    'process-fault',
    'the process',
    'critical',
  ]),
  ofFacts('request.outcome', {}),
  ofFacts('authn.failure', {}),
];

for (const { event, record, becomes } of rows) {
  const told = JSON.stringify({ ...record.facts, ...record.upstream, ...others }).slice(1, 60);
  test(`${event} (${told}…) is ${becomes.join(' and ') || 'no alert'}`, () => {
    const found = findingsIn(event, record);
    assert.deepEqual(
      found.map(({ name, subject, isOver, severity }) => [name, subject, isOver ? 'over' : severity]),
      becomes,
    );
  });
}

test('every alert is raised by an event, what lasts is ended by one, and every event is tried here', () => {
  const of = (wanted: (is: string) => boolean): string[] =>
    rows.flatMap(({ becomes }) => becomes.flatMap(([name, , is]) => (wanted(is) ? [name] : [])));
  assert.deepEqual(new Set(of((is) => is !== 'over')), new Set(alertNames));
  assert.deepEqual(
    new Set(of((is) => is === 'over')),
    new Set(alertNames.filter((name) => matterOf(name).lasts)),
  );
  const tried = new Set(rows.map(({ event }) => event));
  assert.deepEqual(
    alertingEvents.filter((event) => !tried.has(event)),
    [],
  );
});

test('every event of the table is one of the trail', () => {
  const documented = read('docs/audit-format.md');
  assert.deepEqual(
    alertingEvents.filter((event) => !documented.includes(`\`${event}\``)),
    [],
  );
});

test('no alert names a person or an address of a caller', () => {
  const told = JSON.stringify(rows.map(({ event, record }) => findingsIn(event, record)));
  assert.ok(told.includes('k7m'));
  for (const kept of [person, address, 'jane']) assert.ok(!told.includes(kept), kept);
});

test('what an alert tells is one line of bounded length, whatever a record holds', () => {
  const [found] = findingsIn('audit.delivery_failing', {
    facts: { destination: `siem\r\nBcc: ${'x'.repeat(5000)}`, reason: 'a\u0000b' },
  });
  assert.match(found?.subject ?? '', /^siem  Bcc: x{100,190}$/);
  assert.equal(found?.facts['reason'], 'a b');
});

test('every alert stands in the operations page with its severity, and points to a section that is there', () => {
  const page = read('docs/operations.md');
  const anchors = new Set(
    [...page.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
  const described = [...page.matchAll(/^\| `([a-z-]+)` \| (?:warning|critical)/gm)].map(([, name]) => name);
  assert.deepEqual(new Set(described), new Set(alertNames));
  for (const name of alertNames) assert.ok(anchors.has(matterOf(name).see.split('#')[1] ?? ''), name);
});
