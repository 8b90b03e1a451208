/** What the console finds in the trails: the same as `gatehouse audit search`, however it gets there. */
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { matcherOf } from '../../src/audit/query.ts';
import { openChains, readTrail } from '../../src/audit/read.ts';
import { Redactor } from '../../src/audit/redact.ts';
import type { RecordRow } from '../../src/console/api/record.ts';
import type { AuditQuery } from '../../src/console/api/trail.ts';
import { Exports } from '../../src/console/trail/export.ts';
import type { Cursor } from '../../src/console/trail/search.ts';
import { TrailDesk } from '../../src/console/trail/trail-desk.ts';
import { audit } from '../audit/command.ts';
import {
  chainA,
  chainB,
  writeTrail,
  type WrittenRecord,
  type WrittenSegment,
} from '../audit/written-trail.ts';
import { eventually } from '../support/eventually.ts';

const never = new AbortController().signal;
const redactor = new Redactor({ period: '2026q4', secret: Buffer.alloc(32, 7) });
const person = (at: number): string => redactor.pseudonym('id', `person-${at}`);
const start = Date.parse('2026-11-21T08:00:00Z');
const callers = ['idm', 'iag', 'help-desk'];
const kinds = ['list', 'get', 'patch', 'delete'];

/** Deterministic, and uneven enough that no two criteria mean the same records. */
function recordAt(at: number): WrittenRecord {
  const ts = new Date(start + at * 7919).toISOString();
  const kind = kinds[at % kinds.length] ?? 'get';
  const request = `req-${Math.floor(at / 3)}`;
  const op = {
    api: 'proxy',
    kind,
    effect: at % 4 < 2 ? 'read' : 'write',
    tenant: 'acme',
    system: `system-${Math.floor(at / 3) % 3}`,
    resourceType: at % 5 === 0 ? 'Groups' : 'Users',
    id: person(at % 11),
  };
  const call = { req: request, actor: { name: callers[at % 7] }, src: { ip: `192.0.2.${at % 13}` }, op };
  if (at % 3 === 0)
    return { ts, event: 'upstream.intent', ...call, upstream: { tenant: 'acme', system: op.system } };
  if (at % 3 === 1)
    return {
      ts,
      event: 'upstream.outcome',
      req: request,
      intent: at,
      upstream: { status: at % 2 ? 200 : 404, requestId: `t-${at}` },
    };
  const http = at % 8 === 0 ? 403 : at % 10 === 0 ? 502 : 200;
  const result = http === 403 ? 'denied' : http === 502 ? 'failure' : 'success';
  return {
    ts,
    event: http === 403 ? 'authz.denied' : 'request.outcome',
    ...call,
    outcome: { http, result, ...(http !== 200 && { error: http === 403 ? 'forbidden' : 'upstream-broke' }) },
    ms: at % 50,
  };
}

function segmentsOf(first: number, counts: readonly number[]): WrittenSegment[] {
  let at = first;
  return counts.map((count, index) => {
    const records = Array.from({ length: count }, () => recordAt((at += 2)));
    return { records, ...(index < counts.length - 1 && { reason: 'rotated' }) };
  });
}

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

test('a segment that grows is read on, and pages that are under way do not shift', async () => {
  const own = await mkdtemp(join(tmpdir(), 'gatehouse-console-growing-'));
  try {
    const [path = ''] = await writeTrail(own, 'gw-1', chainA, [{ records: [1, 2, 3, 4].map(recordAt) }]);
    const whole = await readFile(path);
    const cut = whole.lastIndexOf('\n', whole.length - 2) + 1;
    await writeFile(path, whole.subarray(0, cut));
    const growing = new TrailDesk({ trails: own, directory: join(own, 'index'), key: Buffer.alloc(32) });
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
    const closing = new TrailDesk({ trails: own, directory: join(own, 'index'), key: Buffer.alloc(32) });
    const ask = { query: { pseudonym: [person(2)] }, order: 'oldest', limit: 100 } as const;
    const before = await closing.records(ask, never);
    await writeFile(second ?? '', later);
    const after = await closing.records(ask, never);
    assert.ok(before.records.length > 0 && after.records.length > before.records.length);
    assert.deepEqual(after.records.slice(0, before.records.length), before.records);
    await eventually(async () => (await readdir(join(own, 'index'))).length === 1);
    assert.deepEqual((await closing.records(ask, never)).records, after.records);
    assert.ok(first);
  } finally {
    await rm(own, { recursive: true });
  }
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
