/** What the console knows of segments that grow, have just been closed, or grew until the gateway's last end. */
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { fileOf } from '../../src/audit/segment-name.ts';
import type { Cursor } from '../../src/console/trail/cursor.ts';
import { TrailDesk } from '../../src/console/trail/trail-desk.ts';
import { chainA, writeTrail } from '../audit/written-trail.ts';
import { person, recordAt, segmentsOf } from './sample-trail.ts';

const never = new AbortController().signal;

function deskOf(own: string): TrailDesk {
  return new TrailDesk({ trails: own, directory: join(own, 'index'), key: Buffer.alloc(32) });
}

test('a segment that grows is read on, and pages that are under way do not shift', async () => {
  const own = await mkdtemp(join(tmpdir(), 'gatehouse-console-growing-'));
  try {
    const [path = ''] = await writeTrail(own, 'gw-1', chainA, [{ records: [1, 2, 3, 4].map(recordAt) }]);
    const whole = await readFile(path);
    const cut = whole.lastIndexOf('\n', whole.length - 2) + 1;
    await writeFile(path, whole.subarray(0, cut));
    const growing = deskOf(own);
    const first = await growing.records({ query: {}, order: 'newest', limit: 2 }, never);
    await appendFile(path, whole.subarray(cut));
    const cursor = JSON.parse(Buffer.from(first.next ?? '', 'base64url').toString()) as Cursor;
    const rest = await growing.records({ query: {}, order: 'newest', limit: 10, cursor }, never);
    const ids = [...first.records, ...rest.records].map(({ id }) => Number(id.split(':')[1]));
    assert.deepEqual(ids, [4, 3, 2, 1]);
    const now = await growing.records({ query: {}, order: 'newest', limit: 1 }, never);
    assert.equal(now.records[0]?.id, `${chainA}:5`);
  } finally {
    await rm(own, { recursive: true });
  }
});

test('a segment that was closed a moment ago is told at once and as it is', async () => {
  const own = await mkdtemp(join(tmpdir(), 'gatehouse-console-closing-'));
  try {
    const whole = segmentsOf(0, [40, 20]);
    const [first, second] = await writeTrail(own, 'gw-1', chainA, whole);
    const later = await readFile(second ?? '');
    await rm(second ?? '');
    const closing = deskOf(own);
    const ask = { query: { pseudonym: [person(2)] }, order: 'oldest', limit: 100 } as const;
    const before = await closing.records(ask, never);
    await writeFile(second ?? '', later);
    const after = await closing.records(ask, never);
    assert.ok(before.records.length > 0 && after.records.length > before.records.length);
    assert.deepEqual(after.records.slice(0, before.records.length), before.records);
    await closing.prepare(async () => {});
    assert.equal((await readdir(join(own, 'index'))).length, 1);
    assert.deepEqual((await closing.records(ask, never)).records, after.records);
    assert.ok(first);
  } finally {
    await rm(own, { recursive: true });
  }
});

/** Long enough that what is known of it is kept although it still grows. */
async function keptWhileGrowing(own: string): Promise<{ readonly path: string; readonly content: Buffer }> {
  const [path = ''] = await writeTrail(own, 'gw-1', chainA, segmentsOf(0, [4000]));
  const desk = deskOf(own);
  await desk.prepare(async () => {});
  assert.equal((await readdir(join(own, 'index'))).length, 1);
  return { path, content: await readFile(path) };
}

/** What was read before the restart is worth nothing any more: whoever read it again would find less. */
function unreadable(content: Buffer): Buffer {
  const last = content.lastIndexOf('\n', content.length - 2) + 1;
  return Buffer.concat([Buffer.alloc(last, 'x'), content.subarray(last)]);
}

for (const next of ['goes on', 'was closed'] as const)
  test(`after a restart, of a segment that ${next} only what came since is read`, async () => {
    const own = await mkdtemp(join(tmpdir(), 'gatehouse-console-kept-'));
    try {
      const { path, content } = await keptWhileGrowing(own);
      const countAfterRestart = async (): Promise<number> => {
        const desk = deskOf(own);
        return (await desk.histogram({ query: {}, bars: 20 }, never)).total;
      };
      const expected = await countAfterRestart();
      await writeFile(path, unreadable(content));
      const following = { chain: chainA, number: 2, firstSeq: expected + 1 };
      if (next === 'was closed') await writeFile(join(dirname(path), fileOf(following)), '');
      assert.equal(await countAfterRestart(), expected);
    } finally {
      await rm(own, { recursive: true });
    }
  });

test('what was kept of a segment that is another one now is not believed', async () => {
  const own = await mkdtemp(join(tmpdir(), 'gatehouse-console-other-'));
  try {
    const { path, content } = await keptWhileGrowing(own);
    const half = content.subarray(0, content.indexOf('\n', content.length / 2) + 1);
    await writeFile(path, Buffer.concat([half, half]));
    const again = deskOf(own);
    const { total, damages } = await again.histogram({ query: {}, bars: 20 }, never);
    assert.equal(total, 2 * (half.toString().split('\n').length - 1));
    assert.match(damages[0]?.reason ?? '', /was expected/);
  } finally {
    await rm(own, { recursive: true });
  }
});
