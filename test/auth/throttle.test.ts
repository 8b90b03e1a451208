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
  const fail = async (user: string, source = 'there', secret = `wrong for ${user}`) => {
    const attempt = throttle.attempt({ source, user, secret });
    try {
      await attempt.charge();
    } catch (error) {
      assert.ok(error instanceof ScimError && error.kind === 'throttled');
      return Number(error.headers['retry-after']);
    }
    attempt.fail();
    return undefined;
  };
  const succeed = async (user: string, source = 'there'): Promise<void> => {
    const attempt = throttle.attempt({ source, user, secret: 'right' });
    await attempt.charge();
    attempt.refund();
    attempt.succeed();
  };
  return { clock, reports, throttle, fail, succeed };
}

/** One after the other. */
async function times<T>(count: number, make: (at: number) => T | Promise<T>): Promise<T[]> {
  const made: T[] = [];
  for (let at = 0; at < count; at += 1) made.push(await make(at));
  return made;
}

const letPass = (waits: readonly (number | undefined)[]): number =>
  waits.filter((wait) => wait === undefined).length;

test('a user may fail five times from one source, then once every 30 seconds', async () => {
  const { clock, fail } = start();
  assert.deepEqual(await times(7, () => fail('idm')), [
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    30,
    30,
  ]);
  clock.seconds = 29.5;
  assert.equal(await fail('idm'), 1);
  clock.seconds = 30;
  assert.equal(await fail('idm'), undefined);
  assert.equal(await fail('idm'), 30);
});

test('nobody is stopped by failures elsewhere that name the same user', async () => {
  const { fail, succeed } = start();
  await times(100, () => fail('idm', 'elsewhere'));
  await succeed('idm', 'there');
});

test('a source may fail thirty times at once, then every other second', async () => {
  const { clock, fail } = start();
  const users = ['a', 'b', 'c', 'd', 'e'];
  const tries = async (): Promise<number> =>
    letPass(await times(30, (at) => fail(users[at % 5] ?? '', 'there', `secret ${at}`)));
  assert.equal(await tries(), 25, 'five for each of five');
  clock.seconds = 30;
  assert.equal(await tries(), 5, 'one more for each');
  clock.seconds = 31;
  assert.equal(await tries(), 0);
});

test('all failures together are bounded, wherever they come from', async () => {
  const { clock, fail } = start();
  const storm = async (): Promise<number> =>
    letPass(await times(200, (at) => fail(`user ${at}`, `source ${at}`)));
  assert.equal(await storm(), 50);
  clock.seconds = 1;
  assert.equal(await storm(), 10);
});

test('who was right lately is let in from there while the whole world fails', async () => {
  const { clock, fail, succeed } = start();
  await succeed('idm');
  clock.seconds = 23 * 3600;
  await times(1000, (at) => fail(`user ${at}`, at % 2 ? 'there' : `source ${at}`));
  await succeed('idm');
});

test('a new source waits while the whole world fails', async () => {
  const { fail, succeed } = start();
  await times(1000, (at) => fail(`user ${at}`, `source ${at}`));
  await assert.rejects(succeed('idm'), { kind: 'throttled', headers: { 'retry-after': '1' } });
});

test('a success clears the failures of its user there', async () => {
  const { fail, succeed } = start();
  await times(4, () => fail('idm'));
  await succeed('idm');
  assert.equal(letPass(await times(5, () => fail('idm'))), 5);
});

test('an attempt that was not compared costs nothing', async () => {
  const { throttle, fail } = start();
  await times(100, async () => {
    const attempt = throttle.attempt({ source: 'there', user: 'idm', secret: 'x' });
    await attempt.charge();
    attempt.refund();
  });
  assert.equal(letPass(await times(6, () => fail('idm'))), 5);
});

test('attempts that are still being compared count as failures', async () => {
  const { throttle } = start();
  const charge = (): Promise<void> =>
    throttle.attempt({ source: 'there', user: 'idm', secret: 'x' }).charge();
  await times(5, charge);
  await assert.rejects(charge, { kind: 'throttled' });
});

test('a sixth user that fails from one source within ten minutes is told once as spraying, a seventh not tried', async () => {
  const { clock, reports, fail } = start();
  await times(5, (at) => fail(`user ${at}`));
  assert.deepEqual(reports, []);
  assert.equal(await fail('user 5'), undefined);
  assert.deepEqual(reports, [
    { event: 'authn.spray_suspected', facts: { pattern: 'many users from one source', source: 'there' } },
  ]);
  clock.seconds = 60;
  assert.equal(await fail('user 6'), 540);
  assert.equal(await fail('user 5'), undefined, 'users that were named before may go on');
  assert.equal(reports.length, 1);
  clock.seconds = 600;
  assert.equal(await fail('user 6'), undefined);
});

test('one secret that fails more than twenty times is told as spraying and then tried rarely (row 59)', async () => {
  const { clock, reports, fail } = start();
  const tried = async (): Promise<number> =>
    letPass(await times(50, (at) => fail(`user ${at}`, `source ${at}`, 'Spring2026!')));
  assert.equal(await tried(), 21);
  assert.deepEqual(reports, [
    {
      event: 'authn.spray_suspected',
      facts: { pattern: 'one secret for many users', source: 'source 20', failures: 21 },
    },
  ]);
  clock.seconds = 30;
  assert.equal(await tried(), 1);
});

test('a success after three failures is told with their number, one after two is not', async () => {
  const { clock, reports, fail, succeed } = start();
  await times(2, () => fail('iag'));
  await succeed('iag');
  await times(5, () => fail('idm'));
  clock.seconds = 3599;
  await succeed('idm');
  await succeed('idm');
  assert.deepEqual(reports, [
    { event: 'authn.success_after_failures', facts: { user: 'idm', source: 'there', failures: 5 } },
  ]);
});

test('no event holds a secret or the name of somebody who was not believed', async () => {
  const { reports, fail } = start();
  await times(50, (at) => fail(`user ${at}`, `source ${at}`, 'Spring2026!'));
  await times(50, (at) => fail(`user ${at}`));
  assert.ok(reports.length >= 1);
  assert.doesNotMatch(JSON.stringify(reports), /Spring2026|user \d/);
});

test('what is remembered of the recent past is bounded and ends by itself', async () => {
  const recent = new Recent<number>(3);
  await times(10, (at) => recent.set(`key ${at}`, at, 100));
  assert.equal(recent.size, 3);
  assert.deepEqual(
    [recent.get('key 6', 0), recent.get('key 9', 0), recent.get('key 9', 100)],
    [undefined, 9, undefined],
  );
});
