/** One caller cannot starve another: neither of turns at the tenant nor of the gateway itself. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { eventually } from '../support/eventually.ts';
import { RawConnection, request } from '../support/raw.ts';
import { assertRefusal, besiege, plainAnswer, recordOf, type Siege } from '../support/siege.ts';

/** Ten turns a second, one by one. */
const pace = { perMinute: 600, burst: 1, tenantLimit: 601 };

test('while one caller floods with 300 lists, another’s reads and lists are answered within a few turns', async () => {
  await using siege = await besiege({ tenant: { pace } });
  const { gateway, upstream } = siege;
  const flooding = new AbortController();
  using ends = new DisposableStack();
  ends.defer(() => flooding.abort());
  const flood = Array.from({ length: 300 }, (_, page) =>
    fetch(`${gateway.base}/Users?startIndex=${page + 1}&count=1`, {
      headers: { authorization: gateway.logOn() },
      signal: flooding.signal,
    }),
  );
  void Promise.allSettled(flood);
  await eventually(async () => upstream.received.length > 5);
  for (const path of ['/Users/one', '/Users/two', '/Users?startIndex=901', '/Users?startIndex=902']) {
    const before = upstream.received.length;
    const response = await gateway.call('GET', path, undefined, { authorization: gateway.logOn('auditor') });
    assert.equal(response.status, 200);
    await response.arrayBuffer();
    const turns = upstream.received.length - before;
    assert.ok(turns <= 8, `${path} had to wait for ${turns} turns`);
  }
  assert.ok(upstream.received.length < 100, 'the flood is far from its end');
});

test('a caller has no more calls at the tenant than its limit, and the others of it wait', async () => {
  await using siege = await besiege(limited({ concurrency: 2 }));
  const held = hold(siege);
  const answers = [1, 2, 3, 4, 5].map((id) => siege.gateway.call('GET', `/Users/${id}`));
  await held.waiting(2);
  assert.equal((await siege.gateway.call('GET', '/Users/9', undefined, asAuditor(siege))).status, 200);
  await sleep(100);
  assert.equal(held.count, 2);
  held.release();
  for (const answer of answers) assert.equal((await answer).status, 200);
});

test('the limit counts calls whose answer is known already, and a refusal is recorded', async () => {
  await using siege = await besiege(limited({ concurrency: 1 }, { patience: '300ms' }));
  const { gateway } = siege;
  await (await gateway.call('GET', '/Users/known')).arrayBuffer();
  const held = hold(siege);
  const first = gateway.call('GET', '/Users/first');
  await held.waiting(1);
  const refused = await plainAnswer(await gateway.call('GET', '/Users/known'));
  assertRefusal(refused, 429);
  assert.match(refused.headers['retry-after'] ?? '', /^[1-9]\d*$/);
  assert.match(refused.body, /technical user has more calls at work/);
  assert.equal((await recordOf(siege, refused)).outcome?.error, 'busy');
  assert.equal((await gateway.call('GET', '/Users/known', undefined, asAuditor(siege))).status, 200);
  held.release();
  assert.equal((await first).status, 200);
  assert.equal((await gateway.call('GET', '/Users/known')).status, 200, 'and its place is free again');
});

test('a call over the limit is not asked for its body before its place is free', async () => {
  await using siege = await besiege(limited({ concurrency: 1 }));
  const held = hold(siege);
  const first = siege.gateway.call('GET', '/Users/first');
  await held.waiting(1);
  using connection = await RawConnection.open(siege.gateway.authority);
  const fields = ['Content-Type: application/scim+json', 'Content-Length: 2', 'Expect: 100-continue'];
  connection.send(request([...siege.head('POST', '/Users'), ...fields]));
  await sleep(200);
  assert.equal(connection.unread, '');
  held.release();
  await first;
  assert.equal((await connection.answer()).status, 100);
  connection.send('{}');
  assert.equal((await connection.answer()).status, 201);
});

test('a caller that hangs up while it waits or works takes no place away', async () => {
  await using siege = await besiege(limited({ concurrency: 1 }));
  const { gateway } = siege;
  const held = hold(siege);
  const leaving = new AbortController();
  const options = { headers: { authorization: gateway.logOn() }, signal: leaving.signal };
  const gone = ['/Users/works', '/Users/waits', '/Users/waits-too'].map((path) =>
    fetch(gateway.base + path, options),
  );
  await held.waiting(1);
  await sleep(100);
  leaving.abort();
  await Promise.allSettled(gone);
  assert.equal((await siege.gateway.call('GET', '/Users/9')).status, 200);
  held.release();
});

test('calls over the minute’s number wait for their time', async () => {
  await using siege = await besiege(limited({ perMinute: 120 }));
  const startedAt = performance.now();
  // A tenth of 120 at once, two more after half a second each.
  const answers = await Promise.all(Array.from({ length: 14 }, () => siege.gateway.call('GET', '/Users/9')));
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  assert.ok(performance.now() - startedAt > 900);
});

function limited(limits: { concurrency?: number; perMinute?: number }, config = {}) {
  const permissions = [
    {
      permission: 'Access Proxy System API' as const,
      systems: 'all' as const,
      access: ['read' as const, 'write' as const],
    },
  ];
  return { callers: { 'identity-manager': { permissions, limits } }, config };
}

function asAuditor({ gateway }: Siege): Record<string, string> {
  return { authorization: gateway.logOn('auditor') };
}

/** The tenant answers single reads of `identity-manager` when it is told to; it cannot know who else reads. */
function hold({ upstream }: Siege) {
  const { answer } = upstream;
  const held: (() => void)[] = [];
  let holds = true;
  upstream.answer = (...asked) => {
    const isHeld = holds && asked[0].method === 'GET' && /\/Users\/(?!9|known)/.test(asked[0].url);
    if (isHeld) held.push(() => answer(...asked));
    else answer(...asked);
  };
  return {
    get count() {
      return held.length;
    },
    waiting: (count: number) => eventually(async () => held.length >= count),
    release(): void {
      holds = false;
      for (const go of held) go();
    },
  };
}
