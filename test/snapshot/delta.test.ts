/** Which systems are believed to tell what was changed since an instant. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changedSince, tellsChanges, type AskChanged } from '../../src/snapshot/delta.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const person = (at: number): Buffer =>
  Buffer.from(
    JSON.stringify({ id: `u${at}`, meta: { lastModified: new Date(start + at * 60_000).toISOString() } }),
  );
const bodies = new Map(Array.from({ length: 230 }, (_, at) => [`u${at}`, person(at)]));

/** A system that answers with whom `pick` chooses, an hour's pages of so many. */
function system(pick: (since: number, at: number) => boolean, pageSize = 100): AskChanged {
  return async (since, startIndex, count) => {
    const chosen = [...bodies.values()].filter((_, at) => pick(Date.parse(since), start + at * 60_000));
    const page = chosen.slice(startIndex - 1, startIndex - 1 + Math.min(count, pageSize));
    const figures = `"startIndex":${startIndex},"itemsPerPage":${page.length},"totalResults":${chosen.length}`;
    const body = Buffer.from(`{${figures},"Resources":[${page.join(',')}]}`);
    return { status: 200, headers: {}, body };
  };
}

test('a system that answers with exactly those that were modified is believed', async () => {
  assert.ok(
    await tellsChanges(
      bodies,
      system((since, at) => at > since),
    ),
  );
  assert.ok(
    await tellsChanges(
      bodies,
      system((since, at) => at > since, 7),
    ),
  );
});

test('a system that does not know the filter is not believed', async () => {
  assert.ok(
    !(await tellsChanges(
      bodies,
      system(() => true),
    )),
  );
  assert.ok(
    !(await tellsChanges(
      bodies,
      system(() => false),
    )),
  );
  const refuses: AskChanged = async () => ({ status: 400, headers: {}, body: Buffer.from('{}') });
  assert.ok(!(await tellsChanges(bodies, refuses)));
});

test('a system that leaves somebody out is not believed', async () => {
  const last = start + 229 * 60_000;
  assert.ok(
    !(await tellsChanges(
      bodies,
      system((since, at) => at > since && at !== last),
    )),
  );
});

test('resources without an instant, or all of one instant, cannot show whether the filter works', async () => {
  const honest = system((since, at) => at > since);
  assert.ok(!(await tellsChanges(new Map([['u0', Buffer.from('{"id":"u0"}')]]), honest)));
  const equal = new Map(Array.from({ length: 9 }, (_, at) => [`u${at}`, person(0)]));
  assert.ok(!(await tellsChanges(equal, honest)));
});

test('changes are read to the page without positions, and many of them are left to the whole reading', async () => {
  const since = new Date(start + 100 * 60_000).toISOString();
  const found = await changedSince(
    since,
    system((from, at) => at > from, 10),
  );
  assert.equal(found?.size, 129);
  const endless: AskChanged = async (_, startIndex) => {
    const resources = Array.from({ length: 100 }, (__, at) => `{"id":"x${startIndex + at}"}`).join(',');
    const figures = `"startIndex":${startIndex},"itemsPerPage":100,"totalResults":9999`;
    return { status: 200, headers: {}, body: Buffer.from(`{${figures},"Resources":[${resources}]}`) };
  };
  assert.equal(await changedSince(since, endless), undefined);
});
