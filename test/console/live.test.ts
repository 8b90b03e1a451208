/** Figures that come by themselves: for whom, how many, and until when. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startConsole, type Person, type TestConsole } from '../support/console.ts';
import { eventually } from '../support/eventually.ts';

let started: TestConsole;

before(async () => {
  started = await startConsole();
});
after(() => started[Symbol.asyncDispose]());

interface Events extends AsyncDisposable {
  /** Undefined when the stream has ended. */
  next(): Promise<{ readonly event: string; readonly data: unknown } | undefined>;
}

async function listen(person: Person): Promise<Events> {
  const response = await person.ask('GET', '/live');
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let pending = '';
  return {
    async next() {
      while (!pending.includes('\n\n')) {
        const { value, done = true } = (await reader?.read()) ?? {};
        if (done) return undefined;
        pending += value;
      }
      const [message = '', ...rest] = pending.split('\n\n');
      pending = rest.join('\n\n');
      const [, event = '', data = ''] = /^event: (.*)\ndata: (.*)$/.exec(message) ?? [];
      return { event, data: JSON.parse(data) };
    },
    [Symbol.asyncDispose]: async () => reader?.cancel(),
  };
}

test('the overview comes at once and again by itself', async () => {
  await using events = await listen(await started.logOn('operator'));
  const [first, second] = [await events.next(), await events.next()];
  for (const each of [first, second]) assert.equal(each?.event, 'overview');
  assert.notDeepEqual(first?.data, second?.data);
  assert.partialDeepStrictEqual(first?.data, { ready: true, instance: 'test' });
});

test('a log-off ends the figures', async () => {
  const operator = await started.logOn('operator');
  await using events = await listen(operator);
  await events.next();
  await operator.ask('POST', '/log-off');
  let last: Awaited<ReturnType<Events['next']>>;
  do last = await events.next();
  while (last?.event === 'overview');
  assert.equal(last?.event, 'end');
  assert.equal(await events.next(), undefined);
});

test('one person looks a few times, and who leaves makes room', async () => {
  const administrator = await started.logOn('administrator');
  await using stack = new AsyncDisposableStack();
  const opened = [];
  for (let at = 0; at < 4; at += 1) opened.push(stack.use(await listen(administrator)));
  const refused = await administrator.ask('GET', '/live');
  assert.equal(refused.status, 503);
  assert.ok(refused.headers.get('retry-after'));
  await refused.body?.cancel();
  await opened[0]?.[Symbol.asyncDispose]();
  await eventually(async () => {
    const again = await administrator.ask('GET', '/live');
    await again.body?.cancel();
    return again.status === 200;
  });
});
