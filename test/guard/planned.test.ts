/** Planned windows and rules: which ceiling is in force for whom, where and when. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ceilingsFor, limitOf, type GuardSettings } from '../../src/guard/ceiling.ts';
import { isWithin, type PlannedWindow } from '../../src/guard/planned.ts';

const weekend: PlannedWindow = {
  days: ['sat'],
  from: '22:00',
  to: '04:00',
  since: '2027-01-09',
  until: '2027-01-16',
  timezone: 'Europe/Berlin',
};
const night: PlannedWindow = { from: '22:00', to: '04:00', timezone: 'UTC' };
const summer: PlannedWindow = { from: '02:30', to: '03:30', timezone: 'Europe/Berlin' };
const always: PlannedWindow = { from: '00:00', to: '00:00', timezone: 'America/New_York' };

const rows: readonly [string, PlannedWindow, string, boolean][] = [
  ['begins by the clocks of its place', weekend, '2027-01-09T21:00:00Z', true],
  ['has not begun a minute before', weekend, '2027-01-09T20:59:00Z', false],
  ['goes on into the next day', weekend, '2027-01-10T02:59:00Z', true],
  ['ends when it says', weekend, '2027-01-10T03:00:00Z', false],
  ['does not begin on another day', weekend, '2027-01-10T22:00:00Z', false],
  ['begins on its last day', weekend, '2027-01-16T23:00:00Z', true],
  ['goes on behind its last day', weekend, '2027-01-17T02:00:00Z', true],
  ['does not begin behind its last day', weekend, '2027-01-23T22:00:00Z', false],
  ['without days begins daily', night, '2027-03-03T23:00:00Z', true],
  ['without days is over by day', night, '2027-03-03T12:00:00Z', false],
  ['follows summer time', summer, '2027-07-01T01:00:00Z', true],
  ['of equal ends is the whole day', always, '2027-07-01T04:00:00Z', true],
];
for (const [title, window, at, expected] of rows)
  test(`a planned window ${title}`, () => assert.equal(isWithin(window, new Date(at)), expected));

const settings: GuardSettings = {
  window: 600_000,
  deletes: { most: 50, share: 5, above: 'refuse' },
  deactivations: { most: 50, share: 5, above: 'alert' },
  shrinking: { most: 20, share: 50, above: 'refuse' },
  loads: { share: 10, above: 'alert' },
  rules: [
    { systems: ['S1'], loads: { above: 'refuse' } },
    { systems: ['S1'], callers: ['idm'], deletes: { most: 100 } },
    { callers: ['idm'], when: night, deletes: { most: 5000 } },
  ],
};
const noon = new Date('2027-03-03T12:00:00Z');
const midnight = new Date('2027-03-03T23:59:00Z');

test('of the rules that fit the last one has the word, and what none says stays', () => {
  assert.equal(ceilingsFor(settings, 'idm', 'S1', noon).deletes.most, 100);
  assert.equal(ceilingsFor(settings, 'idm', 'S1', midnight).deletes.most, 5000);
  assert.equal(ceilingsFor(settings, 'idm', 'S2', noon).deletes.most, 50);
  assert.equal(ceilingsFor(settings, 'other', 'S1', midnight).deletes.most, 50);
  assert.deepEqual(ceilingsFor(settings, 'other', 'S1', noon).loads, { share: 10, above: 'refuse' });
  assert.deepEqual(ceilingsFor(settings, 'idm', 'S1', noon).deletes, {
    most: 100,
    share: 5,
    above: 'refuse',
  });
});

test('a share allows more than the number where there is much, and counts for nothing where nobody knows how much', () => {
  assert.equal(limitOf(settings.deletes, 10_000), 500);
  assert.equal(limitOf(settings.deletes, 100), 50);
  assert.equal(limitOf(settings.deletes, undefined), 50);
});
