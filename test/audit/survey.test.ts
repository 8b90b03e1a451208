/** What the report counts, in memory that does not grow with the trail. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Bounded, classOf, noCalls, others, Survey } from '../../src/audit/survey.ts';
import { TimeSeries } from '../../src/audit/time-series.ts';
import { anEntry } from './written-trail.ts';

const hour = 3_600_000;

test('intervals become longer as the time grows, and no count is lost', () => {
  const series = new TimeSeries(noCalls, 48);
  for (let at = 0; at < 90 * 24; at += 1) series.add(at * hour, at % 10 === 0 ? 'refused' : 'answered');
  const intervals = series.intervals();
  assert.ok(intervals.length <= 48 && intervals.length > 10);
  assert.equal(
    intervals.reduce((all, { counts }) => all + counts.answered + counts.refused, 0),
    90 * 24,
  );
});

test('calls are counted by what became of them, and upstream calls are not counted as calls', () => {
  const survey = new Survey(hour);
  const op = { kind: 'create', effect: 'write', system: 'S1' };
  const outcomes: [string, object][] = [
    ['request.outcome', { result: 'success', http: 201 }],
    ['authz.denied', { result: 'denied', http: 403, error: 'forbidden' }],
    ['request.outcome', { result: 'failure', http: 502 }],
    ['request.outcome', { result: 'unknown', http: 504 }],
    ['upstream.outcome', { result: 'success' }],
    ['request.withheld', { result: 'failure', http: 503 }],
  ];
  for (const [event, outcome] of outcomes)
    survey.take(anEntry({ event, op, actor: { name: 'idm' }, outcome }));
  const one = { answered: 1, refused: 1, failed: 1, unknown: 1 };
  assert.deepEqual([survey.calls, survey.callers.get('idm'), survey.systems.get('S1')], [one, one, one]);
  assert.deepEqual([survey.writes, survey.records], [4, 6]);
});

test('a tenant that says no has answered, and a caller that gave up got no answer', () => {
  assert.equal(classOf({ status: 404, result: 'failure' }), 'answered');
  assert.equal(classOf({ status: 499, result: 'aborted' }), 'failed');
});

test('silences, crashes and segments without a footer are gaps', () => {
  const survey = new Survey(hour);
  const opened = (boot: string, previous: object | null): object => ({
    event: 'audit.segment_opened',
    boot,
    previous,
  });
  survey.take(anEntry({ ts: '2026-11-21T08:00:00.000Z', ...opened('1', null) }));
  survey.take(anEntry({ ts: '2026-11-21T10:30:00.000Z', event: 'process.stop' }));
  survey.take(
    anEntry({ ts: '2026-11-21T10:30:01.000Z', event: 'audit.segment_closed', reason: 'recovered' }),
  );
  survey.take(anEntry({ ts: '2026-11-21T10:30:02.000Z', ...opened('2', { segment: 1, closed: true }) }));
  survey.take(
    anEntry({ ts: '2026-11-21T10:30:03.000Z', ...opened('2', { segment: 2, bytes: 9, closed: false }) }),
  );
  assert.deepEqual(
    survey.gaps.items.map(({ event, detail }) => `${event}: ${detail}`),
    [
      'silence: no record for 3 h, since 2026-11-21T08:00:00.000Z',
      'restart: after a crash; the end was repaired',
      'segment without footer: segment 2 was given up at 9 bytes',
    ],
  );
});

test('a change of the configuration is told setting by setting', () => {
  const survey = new Survey(hour);
  const actor = { occasion: 'SIGHUP', file: '/etc/g.yaml', uid: 0 };
  survey.take(anEntry({ event: 'config.changed', facts: { setting: 'callers.idm', new: { x: 1 }, actor } }));
  assert.equal(survey.changes.items[0]?.detail, 'callers.idm: nothing → {"x":1} (SIGHUP, /etc/g.yaml, 0)');
});

test('names that strangers make up do not grow the memory without end', () => {
  const survey = new Survey(hour);
  for (let at = 0; at < 5000; at += 1)
    survey.take(
      anEntry({
        event: 'authn.failure',
        actor: { claimed: `p1:${at}` },
        outcome: { result: 'denied', http: 401 },
      }),
    );
  assert.ok(survey.refusals.size <= 1001);
  assert.equal(survey.refusals.get(`authn.failure ${others}`)?.count, 4000);
  const bounded = new Bounded<number>(2);
  for (const item of [1, 2, 3, 4]) bounded.add(item);
  assert.deepEqual([bounded.items, bounded.more], [[1, 2], 2]);
});
