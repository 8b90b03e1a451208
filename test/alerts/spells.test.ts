/** How often the same is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { AlertName } from '../../src/alerts/matters.ts';
import { Spells, type News } from '../../src/alerts/spells.ts';
import type { Finding } from '../../src/alerts/table.ts';

const betweenMs = 1000;

function stage() {
  const spells = new Spells(() => betweenMs);
  const told: string[] = [];
  const tell = (news: News | undefined): void => {
    if (news) told.push(`${news.state} ${news.subject} ${news.times}`);
  };
  const note = (name: AlertName, now: number, changes: Partial<Finding> = {}): void =>
    tell(spells.note({ name, subject: 's', isOver: false, severity: 'warning', facts: {}, ...changes }, now));
  const over = (name: AlertName, now: number): void => note(name, now, { isOver: true });
  const look = (now: number): void => spells.due(now).forEach(tell);
  return { spells, told, note, over, look };
}

test('what happens again is told once, and then after the time between with its number', () => {
  const { told, note, look } = stage();
  for (const now of [0, 10, 20, 30]) note('lost-update', now);
  look(999);
  assert.deepEqual(told, ['raised s 1']);
  look(1000);
  assert.deepEqual(told, ['raised s 1', 'again s 3']);
  for (const now of [2000, 3000, 9000]) look(now);
  assert.deepEqual(told, ['raised s 1', 'again s 3']);
  note('lost-update', 9001);
  assert.equal(told.at(-1), 'raised s 1');
});

test('what goes on is told again until it is over, and its end at once', () => {
  const { told, note, over, look } = stage();
  note('delivery-failing', 0);
  for (const now of [500, 1000, 1500, 2000]) look(now);
  over('delivery-failing', 2100);
  over('delivery-failing', 2200);
  look(5000);
  assert.deepEqual(told, ['raised s 1', 'again s 0', 'again s 0', 'resolved s 0']);
});

test('what comes and goes within the time between is told once', () => {
  const { told, note, over, look } = stage();
  for (const now of [0, 200, 400, 600]) {
    note('delivery-failing', now);
    over('delivery-failing', now + 100);
  }
  for (const now of [1000, 2000]) look(now);
  assert.deepEqual(told, ['raised s 1', 'resolved s 0']);
});

test('what has come back meanwhile and stays is told after the time between', () => {
  const { told, note, over, look } = stage();
  note('delivery-failing', 0);
  over('delivery-failing', 100);
  note('delivery-failing', 200);
  look(1000);
  assert.deepEqual(told, ['raised s 1', 'resolved s 0', 'again s 1']);
});

test('what somebody has acted on rests until that has run out, and its end is told all the same', () => {
  const { spells, told, note, over, look } = stage();
  note('guard-held', 0, { facts: { count: 51 } });
  note('guard-held', 10, { restsUntil: 3000 });
  for (const now of [1000, 2000, 2999]) look(now);
  assert.deepEqual(told, ['raised s 1']);
  const [news] = spells.due(3000);
  assert.deepEqual([news?.state, news?.facts], ['again', { count: 51 }]);
  note('guard-held', 3100, { restsUntil: 9000 });
  over('guard-held', 5000);
  look(9000);
  note('guard-held', 9001, { subject: 'unknown', restsUntil: 10_000 });
  assert.deepEqual(told, ['raised s 1', 'resolved s 0']);
});

test('what got worse is told at once, and only once', () => {
  const { told, note } = stage();
  note('audit-disk', 0);
  note('audit-disk', 10, { severity: 'critical' });
  note('audit-disk', 20, { severity: 'critical' });
  note('audit-disk', 30);
  assert.deepEqual(told, ['raised s 1', 'again s 1']);
});

test('the end of what nobody was told of is not told', () => {
  const { told, over } = stage();
  over('audit-failing', 0);
  assert.deepEqual(told, []);
});

test('a refusal of a tenant that is followed by a success is not told, a second one is', () => {
  const { told, note, over } = stage();
  note('tenant-refuses', 0);
  over('tenant-refuses', 1);
  note('tenant-refuses', 2);
  assert.deepEqual(told, []);
  note('tenant-refuses', 3);
  assert.deepEqual(told, ['raised s 2']);
});

test('what nobody will end any more is told no more, and anew when it happens again', () => {
  const { spells, told, note, look } = stage();
  for (const subject of ['gone', 'there']) note('delivery-lag', 0, { subject });
  spells.drop('delivery-lag', (subject) => subject === 'gone');
  look(1000);
  note('delivery-lag', 1001, { subject: 'gone' });
  assert.deepEqual(told, ['raised gone 1', 'raised there 1', 'again there 0', 'raised gone 1']);
});

test('what must go on for a while is told once it has, and its end only if it was told', () => {
  const { told, note, over, look } = stage();
  const forMs = 5 * 60_000;
  note('redis-away', 0);
  look(forMs - 1);
  over('redis-away', forMs - 1);
  note('redis-away', forMs);
  look(2 * forMs - 1);
  assert.deepEqual(told, []);
  look(2 * forMs);
  over('redis-away', 2 * forMs + 1);
  assert.deepEqual(told, ['raised s 1', 'resolved s 0']);
  note('redis-away', 2 * forMs + 2);
  look(3 * forMs + 1);
  assert.equal(told.length, 2);
  look(3 * forMs + 2);
  assert.equal(told.at(-1), 'again s 1');
});

test('what several parts have in common is one matter, and over when it is over for all of them', () => {
  const { told, note, over, look } = stage();
  const forMs = 5 * 60_000;
  const at = (now: number, part: string) => note('redis-away', now, { part });
  const end = (now: number, part: string) => note('redis-away', now, { part, isOver: true });
  for (const part of ['cache', 'quota', 'guards']) at(0, part);
  end(10, 'cache');
  look(forMs);
  end(forMs + 1, 'quota');
  over('redis-away', forMs + 1);
  assert.deepEqual(told, ['raised s 3']);
  end(forMs + 2, 'guards');
  assert.deepEqual(told, ['raised s 3', 'resolved s 0']);
});

test('two subjects are two alerts, and more than twenty of one kind are told together', () => {
  const { told, note, look } = stage();
  for (let at = 0; at < 500; at += 1)
    note('guard-held', at / 1000, { subject: `h${at}`, severity: 'critical' });
  assert.equal(told.length, 21);
  assert.equal(told.at(-1), 'raised several others 1');
  told.length = 0;
  look(1001);
  assert.equal(told.length, 21);
  assert.equal(told.at(-1), 'again several others 479');
  told.length = 0;
  look(2002);
  assert.equal(told.length, 20);
});
