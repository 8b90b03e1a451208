/** What a gateway has spent of a tenant's minute stays spent when another process takes its place. */
import assert from 'node:assert/strict';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startGateway, type TestGateway } from '../support/gateway.ts';
import { sendScim, startUpstream, type TestUpstream } from '../support/upstream.ts';

const minuteMs = 6000;
const pace = { perMinute: 16, burst: 8, tenantLimit: 100, minute: `${minuteMs}ms` };

interface Stage extends AsyncDisposable {
  /** When calls arrived at the tenant. */
  readonly arrivals: readonly number[];
  /** Another process in the place of the last one. */
  start(): Promise<TestGateway>;
}

async function openStage(): Promise<Stage> {
  await using opening = new AsyncDisposableStack();
  const directory = opening.use(await mkdtempDisposable(join(tmpdir(), 'gatehouse-restart-')));
  const arrivals: number[] = [];
  const upstream: TestUpstream = opening.use(
    await startUpstream({
      answer: ({ url }, response) => {
        arrivals.push(performance.now());
        sendScim(response, 200, { schemas: [], id: url });
      },
    }),
  );
  const audit = {
    directory: join(directory.path, 'audit'),
    instance: 'test',
    keyFile: join(directory.path, 'key'),
    ballast: '0B',
  };
  const parts = opening.move();
  return {
    arrivals,
    start: () => startGateway({ upstream: upstream.url, tenant: { pace }, config: { audit } }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** Far more than the quota gives, until so many have arrived. */
async function overload(gateway: TestGateway, { arrivals }: Stage, count: number): Promise<void> {
  const wanted = arrivals.length + count;
  const work = async (worker: number): Promise<void> => {
    for (let n = 0; arrivals.length < wanted; n += 1) {
      const answer = await gateway.call('GET', `/Users/${worker}-${n}`);
      assert.ok([200, 429].includes(answer.status), `${answer.status}`);
      if (answer.status === 429) await sleep(50);
    }
  };
  await Promise.all([1, 2, 3, 4].map(work));
}

test('processes that take each other’s place have the saved-up turns of a minute once', async () => {
  await using stage = await openStage();
  for (let run = 1; run <= 3; run += 1) {
    await using gateway = await stage.start();
    await overload(gateway, stage, 10);
  }
  const { arrivals } = stage;
  const most = Math.max(
    ...arrivals.map((from) => arrivals.filter((at) => at >= from && at < from + minuteMs - 200).length),
  );
  assert.ok(most <= pace.perMinute + pace.burst, `${most} calls in a minute`);
});

test('a process that begins after a quiet minute has its saved-up turns', async () => {
  await using stage = await openStage();
  {
    await using gateway = await stage.start();
    await overload(gateway, stage, 1);
  }
  await sleep(minuteMs + 200);
  await using gateway = await stage.start();
  const before = stage.arrivals.length;
  const began = performance.now();
  await overload(gateway, stage, 5);
  const took = (stage.arrivals[before + 4] ?? Infinity) - began;
  assert.ok(took < 1800, `five turns took ${took} ms`);
});
