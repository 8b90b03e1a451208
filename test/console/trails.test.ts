/** What the console finds in the trails: the same as `gatehouse audit search`, however it gets there. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { matcherOf } from '../../src/audit/query.ts';
import { openChains, readTrail } from '../../src/audit/read.ts';
import type { RecordRow } from '../../src/console/api/record.ts';
import type { AuditQuery } from '../../src/console/api/trail.ts';
import type { Cursor } from '../../src/console/trail/cursor.ts';
import { Exports } from '../../src/console/trail/export.ts';
import { TrailDesk } from '../../src/console/trail/trail-desk.ts';
import { audit } from '../audit/command.ts';
import { chainA, chainB, writeTrail } from '../audit/written-trail.ts';
import { person, segmentsOf } from './sample-trail.ts';

const never = new AbortController().signal;
let directory: string;
let trails: string;
let desk: TrailDesk;
let paths: readonly string[];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-console-trails-'));
  trails = join(directory, 'audit');
  paths = await writeTrail(trails, 'gw-1', chainA, segmentsOf(0, [200, 150, 60]));
  await writeTrail(trails, 'gw-2', chainB, segmentsOf(1, [90, 170]));
  desk = openDesk();
});
after(() => rm(directory, { recursive: true }));

function openDesk(changes: { readonly budgetBytes?: number } = {}): TrailDesk {
  return new TrailDesk({ trails, directory: join(directory, 'index'), key: Buffer.alloc(32, 9), ...changes });
}

async function allPages(
  query: AuditQuery,
  order: 'newest' | 'oldest',
  limit: number,
  from = desk,
): Promise<RecordRow[]> {
  const found: RecordRow[] = [];
  let cursor: Cursor | undefined;
  do {
    const page = await from.records({ query, order, limit, ...(cursor && { cursor }) }, never);
    assert.ok(page.records.length <= limit);
    found.push(...page.records);
    cursor = page.next === undefined ? undefined : JSON.parse(Buffer.from(page.next, 'base64url').toString());
  } while (cursor);
  return found;
}

/** As the command searches: every line is looked at. */
async function byReading({ from: first, to: last, pseudonym, ...query }: AuditQuery): Promise<string[]> {
  const matches = matcherOf({ ...query, pseudonyms: pseudonym });
  const range = { from: first && Date.parse(first), to: last && Date.parse(last) };
  const found: string[] = [];
  for await (const entry of readTrail(await openChains([trails]), {
    from: range.from || undefined,
    to: range.to || undefined,
  }))
    if (matches(entry)) found.push(`${entry.seq} ${entry.ts} ${entry.event}`);
  return found;
}

const asLines = (rows: readonly RecordRow[]): string[] =>
  rows.map(({ id, at, event }) => `${id.slice(id.indexOf(':') + 1)} ${at} ${event}`);

const from = '2026-11-21T08:10:00.000Z';
const to = '2026-11-21T08:40:00.000Z';
const questions: readonly AuditQuery[] = [
  {},
  { caller: 'idm' },
  { system: 'system-1' },
  { tenant: 'acme', effect: 'write' },
  { kind: 'patch', resourceType: 'Groups' },
  { result: 'denied' },
  { error: 'upstream-broke' },
  { status: '4xx' },
  { status: '404' },
  { event: 'upstream.*' },
  { address: '192.0.2.5' },
  { request: 'req-33' },
  { request: 't-13' },
  { pseudonym: [person(3)] },
  { pseudonym: [person(3)], caller: 'iag' },
  { from, to },
  { from, to, address: '192.0.2.5' },
  { caller: 'nobody' },
];

for (const query of questions)
  test(`the console finds ${JSON.stringify(query)} as a reading of all lines does, in the same order`, async () => {
    const expected = await byReading(query);
    assert.equal(expected.length > 0, query.caller !== 'nobody');
    assert.deepEqual(asLines(await allPages(query, 'oldest', 1000)), expected);
    assert.deepEqual(asLines(await allPages(query, 'oldest', 17)), expected);
  });

test('the console finds what gatehouse audit search finds', async () => {
  const { stdout } = await audit('search', trails, '--caller', 'iag', '--status', '4xx', '--json');
  const lines = stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as RecordedLine);
  assert.deepEqual(
    asLines(await allPages({ caller: 'iag', status: '4xx' }, 'oldest', 1000)),
    lines.map(({ seq, ts, event }) => `${seq} ${ts} ${event}`),
  );
});

interface RecordedLine {
  readonly seq: number;
  readonly ts: string;
  readonly event: string;
}

test('the newest come first, page by page, each once', async () => {
  const pages = await allPages({ kind: 'patch' }, 'newest', 7);
  const times = pages.map(({ at }) => at);
  assert.deepEqual(times, times.toSorted().toReversed());
  assert.deepEqual(new Set(asLines(pages)), new Set(await byReading({ kind: 'patch' })));
  assert.equal(new Set(pages.map(({ id }) => id)).size, pages.length);
});

test('the histogram counts what the pages show', async () => {
  for (const query of [
    {},
    { caller: 'idm' },
    { pseudonym: [person(3)] },
    { from, to },
    { outcome: 'refused' as const },
  ]) {
    const rows = await allPages(query, 'oldest', 1000);
    const { total, bars, facets } = await desk.histogram({ query, bars: 50 }, never);
    assert.equal(total, rows.length);
    assert.ok(bars.length <= 50, `${bars.length} bars`);
    const sum = (pick: (bar: (typeof bars)[number]) => number): number =>
      bars.reduce((all, bar) => all + pick(bar), 0);
    const count = (outcome: RecordRow['outcome']): number =>
      rows.filter((row) => row.outcome === outcome).length;
    assert.deepEqual(
      [
        sum((bar) => bar.answered),
        sum((bar) => bar.refused),
        sum((bar) => bar.failed),
        sum((bar) => bar.other),
      ],
      [count('answered'), count('refused'), count('failed'), count(undefined)],
    );
    const events = Object.groupBy(rows, ({ event }) => event);
    for (const { value, count: counted } of facets.event) assert.equal(counted, events[value]?.length, value);
    for (const { at, answered } of bars)
      if (answered > 0)
        assert.ok(
          rows.some((row) => row.at >= at),
          at,
        );
  }
});

for (const format of ['csv', 'ocsf'] as const)
  test(`an export as ${format} is that of gatehouse audit export`, async () => {
    await using exports = new Exports(trails);
    const pieces = await Array.fromAsync(exports.pieces({ event: 'request.*' }, format));
    const { stdout } = await audit('export', trails, '--format', format, '--event', 'request.*');
    assert.equal(pieces.join(''), stdout);
  });

test('an export of lines can be narrowed by every criterion, and who stops reading ends it', async () => {
  await using exports = new Exports(trails);
  const pieces = await Array.fromAsync(exports.pieces({ caller: 'iag', outcome: 'answered' }, 'lines'));
  const rows = await allPages({ caller: 'iag', outcome: 'answered' }, 'oldest', 1000);
  assert.equal(pieces.join('').split('\n').length - 1, rows.length);
  for await (const _ of exports.pieces({}, 'lines')) break;
  exports.requireRoom();
});

test('one replica can be asked alone', async () => {
  const rows = await allPages({ instance: ['gw-2'] }, 'oldest', 1000);
  assert.deepEqual(new Set(rows.map(({ instance }) => instance)), new Set(['gw-2']));
});

test('a trail that says nothing any more is named', async () => {
  const { trails: states } = await desk.states();
  assert.deepEqual(
    states.map(({ instance, silent }) => [instance, silent]),
    [
      ['gw-1', true],
      ['gw-2', true],
    ],
  );
  assert.deepEqual((await desk.histogram({ query: {}, bars: 10 }, never)).silent, ['gw-1', 'gw-2']);
});

test('after a restart the indexes are read instead of the segments, and say the same', async () => {
  const files = await readdir(join(directory, 'index'));
  assert.equal(files.length, 3);
  const again = openDesk();
  assert.deepEqual(
    await again.histogram({ query: {}, bars: 20 }, never),
    await desk.histogram({ query: {}, bars: 20 }, never),
  );
});

test('indexes beyond the budget are dropped, and the answers stay right', async () => {
  const small = openDesk({ budgetBytes: 1 });
  const expected = await byReading({ caller: 'idm' });
  assert.deepEqual(asLines(await allPages({ caller: 'idm' }, 'oldest', 50, small)), expected);
});

test('an index that somebody altered is none', async () => {
  const [file = ''] = await readdir(join(directory, 'index'));
  const path = join(directory, 'index', file);
  const bytes = await readFile(path);
  bytes[bytes.length - 40] = (bytes[bytes.length - 40] ?? 0) ^ 0xff;
  await writeFile(path, bytes);
  assert.deepEqual(asLines(await allPages({}, 'oldest', 1000, openDesk())), await byReading({}));
  assert.notDeepEqual(await readFile(path), bytes);
});

test('what was changed behind its index is shown as it is now, or told as damage', async () => {
  const [path = ''] = paths;
  const original = await readFile(path);
  const altered = Buffer.from(original.toString().replace('"name":"iag"', '"name":"xyz"'));
  assert.notDeepEqual(altered, original);
  await writeFile(path, altered);
  const found = openDesk();
  const { damages } = await found.records({ query: {}, order: 'oldest', limit: 10 }, never);
  assert.partialDeepStrictEqual(damages, [{ instance: 'gw-1', reason: damages[0]?.reason ?? '' }]);
  assert.match(damages[0]?.reason ?? '', /not as it was written/);
  await writeFile(path, original);
  await utimes(path, new Date(), new Date());
});

test('without any trail there is nothing, and nobody is told of a fault', async () => {
  const own = await mkdtemp(join(tmpdir(), 'gatehouse-console-empty-'));
  try {
    const empty = new TrailDesk({ trails: own, directory: join(own, 'index'), key: Buffer.alloc(32) });
    assert.deepEqual((await empty.records({ query: {}, order: 'newest', limit: 5 }, never)).records, []);
    assert.equal((await empty.histogram({ query: {}, bars: 5 }, never)).total, 0);
  } finally {
    await rm(own, { recursive: true });
  }
});
