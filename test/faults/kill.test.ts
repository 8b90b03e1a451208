/**
 * Kills the gateway under load, again and again, and holds the trail against what both sides saw. The number of
 * kills is KILLS: 30 by default, 1,000 in `npm run endurance`.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { verifyTrail } from '../../src/audit/verify.ts';
import { startChild, type Child } from '../support/child.ts';
import { readRecords, systemId } from '../support/gateway.ts';
import { prepareInstallation } from '../support/installation.ts';
import { startUpstream } from '../support/upstream.ts';

const kills = Number(process.env['KILLS'] ?? 30);
const callers = 12;
/** From the start of the process until it takes calls. Judged in the long run alone: a busy machine starts nothing soon. */
const restartMs = 2000;

interface Load {
  /** Request ids of all answers that arrived. */
  readonly answered: string[];
  stop(): Promise<void>;
}

function putUnderLoad({ url }: Child, authorization: string): Load {
  const answered: string[] = [];
  let stopped = false;
  const call = async (n: number): Promise<void> => {
    for (let turn = 0; !stopped; turn += 1) {
      const write = turn % 3 !== 0;
      const response = await fetch(`${url}/ipsproxy/service/api/v1/scim/${systemId}/Users/${n}-${turn}`, {
        method: write ? 'PUT' : 'GET',
        headers: { authorization, 'content-type': 'application/scim+json' },
        ...(write && { body: `{"userName":"user${n}"}` }),
      }).catch(() => undefined); // the process was killed before it answered, which is what this test does
      if (!response) return;
      assert.equal(response.status, 200);
      answered.push(response.headers.get('x-request-id') ?? '');
      await response.arrayBuffer().catch(() => undefined); // likewise
    }
  };
  const running = Promise.all(Array.from({ length: callers }, (_, n) => call(n)));
  return {
    answered,
    async stop() {
      stopped = true;
      await running;
    },
  };
}

test(`no acknowledged record is lost when the process is killed ${kills} times under load`, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-kill-'));
  t.after(() => rm(directory, { recursive: true }));
  await using upstream = await startUpstream();
  const { file, authorization } = await prepareInstallation(directory, upstream.url);
  const trail = join(directory, 'audit');
  const answered: string[] = [];
  const restarts: number[] = [];
  for (let kill = 1; kill <= kills; kill += 1) {
    const startedAt = performance.now();
    const child = await startChild(file);
    restarts.push(performance.now() - startedAt);
    const load = putUnderLoad(child, authorization);
    await sleep(100 + Math.random() * 400);
    await child.end('SIGKILL');
    await load.stop();
    answered.push(...load.answered);
    if (kill % 50 === 0) t.diagnostic(`${kill} kills, ${told(restarts)}`);
  }
  const last = await startChild(file);
  assert.equal(await last.end('SIGTERM'), 0);
  assert.equal((await verifyTrail(trail)).verdict, 'ok');

  const records = await readRecords(trail);
  const of = (event: string) => records.filter((record) => record['event'] === event);
  const recorded = new Set(
    of('request.outcome')
      .concat(of('request.cache_hit'))
      .map(({ req }) => req),
  );
  assert.deepEqual(
    answered.filter((id) => !recorded.has(id)),
    [],
    'every answer has its record',
  );
  const intended = new Set(of('upstream.intent').map(({ req }) => req));
  const seen = upstream.received.map(({ headers }) => String(headers['x-request-id']));
  assert.deepEqual(
    seen.filter((id) => !intended.has(id)),
    [],
    'every call that went up has its intent',
  );
  const closed = new Set(
    of('upstream.outcome')
      .concat(of('request.outcome_unknown'))
      .map(({ intent }) => intent),
  );
  assert.deepEqual(
    of('upstream.intent').filter(({ seq }) => !closed.has(seq)),
    [],
    'no intent stays open',
  );
  t.diagnostic(`${answered.length} answers, ${of('request.outcome_unknown').length} unknown outcomes`);
  t.diagnostic(`${records.length} records, ${told(restarts)}`);
  assert.ok(answered.length > kills, 'there was load');
  if (kills >= 100) assert.ok(at(restarts, 0.5) <= restartMs, 'the gateway is back soon');
});

function told(restarts: readonly number[]): string {
  const [median, most, slowest] = [0.5, 0.99, 1].map((share) => Math.round(at(restarts, share)));
  return `restart: median ${median} ms, 99 of 100 within ${most} ms, slowest ${slowest} ms`;
}

function at(measured: readonly number[], share: number): number {
  const sorted = measured.toSorted((a, b) => a - b);
  return sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
}
