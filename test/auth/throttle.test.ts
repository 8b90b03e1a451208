import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Recent } from '../../src/auth/recent.ts';
import { Throttle } from '../../src/auth/throttle.ts';
import { ScimError } from '../../src/scim/error.ts';

interface Reported {
  readonly event: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** A throttle under a clock of the test's own, in seconds. */
function start() {
  const clock = { seconds: 0 };
  const reports: Reported[] = [];
  const throttle = new Throttle({
    now: () => clock.seconds * 1000,
    report: (event, facts) => reports.push({ event, facts }),
  });
  /** Seconds to wait, or undefined when the secret was compared (and was wrong). */
  const fail = (user: string, source = 'there', secret = `wrong for ${user}`): number | undefined => {
    const attempt = throttle.attempt({ source, user, secret });
    try {
      attempt.charge();
    } catch (error) {
      assert.ok(error instanceof ScimError && error.kind === 'throttled');
      return Number(error.headers['retry-after']);
    }
    attempt.fail();
    return undefined;
  };
  const succeed = (user: string, source = 'there'): void => {
    const attempt = throttle.attempt({ source, user, secret: 'right' });
    attempt.charge();
    attempt.refund();
    attempt.succeed();
  };
  return { clock, reports, throttle, fail, succeed };
}

const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));

test('a user may fail five times from one source, then once every 30 seconds', () => {
  const { clock, fail } = start();
  assert.deepEqual(
    times(7, () => fail('idm')),
    [undefined, undefined, undefined, undefined, undefined, 30, 30],
  );
  clock.seconds = 29.5;
  assert.equal(fail('idm'), 1);
  clock.seconds = 30;
  assert.equal(fail('idm'), undefined);
  assert.equal(fail('idm'), 30);
});

test('nobody is stopped by failures elsewhere that name the same user', () => {
  const { fail, succeed } = start();
  times(100, () => fail('idm', 'elsewhere'));
  succeed('idm', 'there');
});

test('a source may fail thirty times at once, then every other second', () => {
  const { clock, fail } = start();
  const users = ['a', 'b', 'c', 'd', 'e'];
  const tries = (): number =>
    users.flatMap((user) => times(6, (at) => fail(user, 'there', `${user} ${at}`))).filter((wait) => !wait)
      .length;
  assert.equal(tries(), 25, 'five for each of five');
  clock.seconds = 30;
  assert.equal(tries(), 5, 'one more for each');
  clock.seconds = 31;
  assert.equal(tries(), 0);
});

test('all failures together are bounded, wherever they come from', () => {
  const { clock, fail } = start();
  const storm = (): number =>
    times(200, (at) => fail(`user ${at}`, `source ${at}`)).filter((wait) => wait === undefined).length;
  assert.equal(storm(), 50);
  clock.seconds = 1;
  assert.equal(storm(), 10);
});

test('who was right lately is let in from there while the whole world fails', () => {
  const { clock, fail, succeed } = start();
  succeed('idm');
  clock.seconds = 23 * 3600;
  times(1000, (at) => fail(`user ${at}`, at % 2 ? 'there' : `source ${at}`));
  succeed('idm');
});

test('a new source waits while the whole world fails', () => {
  const { fail, succeed } = start();
  times(1000, (at) => fail(`user ${at}`, `source ${at}`));
  assert.throws(() => succeed('idm'), { kind: 'throttled', headers: { 'retry-after': '1' } });
});

test('a success clears the failures of its user there', () => {
  const { fail, succeed } = start();
  times(4, () => fail('idm'));
  succeed('idm');
  assert.deepEqual(new Set(times(5, () => fail('idm'))), new Set([undefined]));
});

test('an attempt that was not compared costs nothing', () => {
  const { throttle, fail } = start();
  times(100, () => {
    const attempt = throttle.attempt({ source: 'there', user: 'idm', secret: 'x' });
    attempt.charge();
    attempt.refund();
  });
  assert.equal(times(6, () => fail('idm')).filter((wait) => wait === undefined).length, 5);
});

test('attempts that are still being compared count as failures', () => {
  const { throttle } = start();
  const charge = (): void => throttle.attempt({ source: 'there', user: 'idm', secret: 'x' }).charge();
  times(5, charge);
  assert.throws(charge, { kind: 'throttled' });
});

test('a sixth user that fails from one source within ten minutes is told once as spraying, a seventh not tried', () => {
  const { clock, reports, fail } = start();
  times(5, (at) => fail(`user ${at}`));
  assert.deepEqual(reports, []);
  assert.equal(fail('user 5'), undefined);
  assert.deepEqual(reports, [
    { event: 'authn.spray_suspected', facts: { pattern: 'many users from one source', source: 'there' } },
  ]);
  clock.seconds = 60;
  assert.equal(fail('user 6'), 540);
  assert.equal(fail('user 5'), undefined, 'users that were named before may go on');
  assert.equal(reports.length, 1);
  clock.seconds = 600;
  assert.equal(fail('user 6'), undefined);
});

test('one secret that fails more than twenty times is told as spraying and then tried rarely (row 59)', () => {
  const { clock, reports, fail } = start();
  const tried = (): number =>
    times(50, (at) => fail(`user ${at}`, `source ${at}`, 'Spring2026!')).filter((wait) => wait === undefined)
      .length;
  assert.equal(tried(), 21);
  assert.deepEqual(reports, [
    {
      event: 'authn.spray_suspected',
      facts: { pattern: 'one secret for many users', source: 'source 20', failures: 21 },
    },
  ]);
  clock.seconds = 30;
  assert.equal(tried(), 1);
});

test('a success after three failures is told with their number, one after two is not', () => {
  const { clock, reports, fail, succeed } = start();
  times(2, () => fail('iag'));
  succeed('iag');
  times(5, () => fail('idm'));
  clock.seconds = 3599;
  succeed('idm');
  succeed('idm');
  assert.deepEqual(reports, [
    { event: 'authn.success_after_failures', facts: { user: 'idm', source: 'there', failures: 5 } },
  ]);
});

test('no event holds a secret or the name of somebody who was not believed', () => {
  const { reports, fail } = start();
  times(50, (at) => fail(`user ${at}`, `source ${at}`, 'Spring2026!'));
  times(50, (at) => fail(`user ${at}`));
  assert.ok(reports.length >= 1);
  assert.doesNotMatch(JSON.stringify(reports), /Spring2026|user \d/);
});

test('what is remembered of the recent past is bounded and ends by itself', () => {
  const recent = new Recent<number>(3);
  times(10, (at) => recent.set(`key ${at}`, at, 100));
  assert.equal(recent.size, 3);
  assert.deepEqual(
    [recent.get('key 6', 0), recent.get('key 9', 0), recent.get('key 9', 100)],
    [undefined, 9, undefined],
  );
});
