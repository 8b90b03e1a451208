/**
 * How soon the console answers out of a long trail: its first page, its histogram, a search for one person; before the
 * indexes are built, after that, and after a restart. And how long the event loop of the process waits meanwhile.
 *
 *   node bench/console-audit.ts [records, default 1000000]
 */
import { mkdir, mkdtempDisposable, open, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

import { genesis, hashLine, type Digest } from '../src/audit/chain.ts';
import { encodeLine } from '../src/audit/line.ts';
import { listSegments } from '../src/audit/recover.ts';
import { Redactor } from '../src/audit/redact.ts';
import { fileOf } from '../src/audit/segment-name.ts';
import type { AuditQuery } from '../src/console/api/trail.ts';
import { TrailReader } from '../src/console/trail/reader.ts';

const [total = 1_000_000] = process.argv.slice(2).map(Number);
const replicas = 2;
const segmentBytes = 64 * 1024 * 1024;
const stepMs = 500;
const start = Date.parse('2026-10-01T00:00:00Z');
const redactor = new Redactor({ period: '2026q4', secret: Buffer.alloc(32, 7) });
const people = Array.from({ length: 50_000 }, (_, at) => redactor.pseudonym('id', `person-${at}`));
const kinds = ['list', 'get', 'patch', 'create', 'delete'] as const;

function membersOf(at: number): [event: string, members: object] {
  const kind = kinds[at % kinds.length] ?? 'get';
  const op = {
    api: 'proxy',
    kind,
    effect: at % 5 < 2 ? 'read' : 'write',
    tenant: 'acme',
    system: `system-${at % 7}`,
    resourceType: at % 3 === 0 ? 'Groups' : 'Users',
    id: people[(at * 7919) % people.length],
  };
  const call = {
    req: `0199f0a2-7c1e-7a10-9e2b-${String(Math.floor(at / 3)).padStart(12, '0')}`,
    actor: { name: `caller-${at % 11}`, auth: 'basic', credential: 'jyOI2zQAWl5ihs9rSYujLA' },
    src: {
      ip: `192.0.2.${at % 250}`,
      port: 51234,
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' },
    },
    op,
    target: { method: 'PATCH', path: '/ipsproxy/service/api/v1/scim/?/Users/?' },
    corr: { agent: 'identity-manager/8.0' },
  };
  if (at % 3 === 0)
    return [
      'upstream.intent',
      { ...call, upstream: { tenant: 'acme', system: op.system, method: 'PATCH', attempt: 1 } },
    ];
  if (at % 3 === 1)
    return [
      'upstream.outcome',
      { intent: at, req: call.req, upstream: { status: 200, ms: 41.5 }, outcome: { result: 'success' } },
    ];
  const http = at % 97 === 0 ? 403 : at % 89 === 0 ? 502 : 200;
  return [
    'request.outcome',
    { ...call, outcome: { result: http === 200 ? 'success' : 'denied', http }, ms: 43.1 },
  ];
}

async function writeChain(directory: string, replica: number): Promise<number> {
  const chain = String(replica).padStart(32, '0');
  await mkdir(directory, { recursive: true });
  let [seq, head, number, bytes]: [number, Digest, number, number] = [1, genesis, 1, 0];
  const count = total / replicas;
  while (seq <= count) {
    await using file = await open(join(directory, fileOf({ chain, number, firstSeq: seq })), 'wx');
    const lines: Buffer[] = [];
    for (let size = 0; size < segmentBytes && seq <= count; seq += 1) {
      const at = (seq - 1) * replicas + replica;
      const [event, members] = membersOf(at);
      const ts = new Date(start + at * stepMs).toISOString();
      const line = encodeLine(seq, head, { ts, mono: at, event, body: JSON.stringify(members) });
      ({ head } = hashLine(head, line.subarray(0, -1)));
      lines.push(line);
      size += line.length;
    }
    const content = Buffer.concat(lines);
    await file.write(content);
    bytes += content.length;
    number += 1;
  }
  return bytes;
}

await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-bench-console-'));
const trails = join(directory.path, 'audit');
let bytes = 0;
for (let replica = 0; replica < replicas; replica += 1)
  bytes += await writeChain(join(trails, `gw-${replica}`), replica);
console.log(`${total} records of ${replicas} replicas, ${Math.round(bytes / 2 ** 20)} MiB`);

const options = { trails, directory: join(directory.path, 'index'), key: Buffer.alloc(32, 9) };
const never = new AbortController().signal;
const person: AuditQuery = { pseudonym: [redactor.pseudonym('id', 'person-4711')] };
const nobody: AuditQuery = { pseudonym: [redactor.pseudonym('id', 'somebody else')] };

async function measure(name: string, reader: TrailReader): Promise<void> {
  const loop = monitorEventLoopDelay({ resolution: 5 });
  loop.enable();
  const timed = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    const begun = performance.now();
    await work();
    console.log(
      `${name.padEnd(26)} ${what.padEnd(34)} ${(performance.now() - begun).toFixed(0).padStart(7)} ms`,
    );
  };
  const page = (query: AuditQuery) => () =>
    reader.ask('records', { query, limit: 200, order: 'newest' }, never);
  await timed('first page', page({}));
  await timed('first page, one caller, refused', page({ caller: 'caller-3', outcome: 'refused' }));
  await timed('first page, one person', page(person));
  await timed('first page, nobody', page(nobody));
  await timed('histogram with facets', () => reader.ask('histogram', { query: {}, bars: 120 }, never));
  await timed('histogram, one caller', () =>
    reader.ask('histogram', { query: { caller: 'caller-3' }, bars: 120 }, never),
  );
  await timed('histogram, one person', () => reader.ask('histogram', { query: person, bars: 120 }, never));
  loop.disable();
  const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(
    `${name.padEnd(26)} event loop of the line at most ${(loop.max / 1e6).toFixed(0)} ms, process ${memory} MiB`,
  );
}

/** What is known of the segments that grow is on disk. */
async function untilKept(): Promise<void> {
  while ((await readdir(options.directory)).filter((name) => name.endsWith('.growing')).length < replicas)
    await sleep(100);
}

/** As a restart does: what grew until now is closed by the segment that follows it. */
async function goOn(directory: string): Promise<void> {
  const names = await listSegments(directory);
  const last = names.at(-1);
  if (!last) throw new Error('There is no segment.');
  const [event, members] = membersOf(0);
  const ts = new Date(start + total * stepMs).toISOString();
  const seq = total / replicas + 1;
  const line = encodeLine(seq, genesis, { ts, mono: 0, event, body: JSON.stringify(members) });
  await writeFile(join(directory, fileOf({ ...last, number: last.number + 1, firstSeq: seq })), line);
}

{
  // What a start costs without any record; the gateway's own is over before it takes calls.
  const empty = join(directory.path, 'empty');
  await mkdir(empty);
  await using reader = new TrailReader({ ...options, trails: empty });
  const begun = performance.now();
  await reader.ask('records', { query: {}, limit: 200, order: 'newest' }, never);
  console.log(`without a record: the thread has started after ${(performance.now() - begun).toFixed(0)} ms`);
}
{
  await using reader = new TrailReader(options);
  const begun = performance.now();
  await reader.ask('records', { query: {}, limit: 200, order: 'newest' }, never);
  console.log(`without an index: the first page after ${(performance.now() - begun).toFixed(0)} ms`);
  await reader.ask('histogram', { query: {}, bars: 120 }, never);
  console.log(`without an index: all is indexed after ${(performance.now() - begun).toFixed(0)} ms`);
  await measure('indexed', reader);
  await untilKept();
}
await goOn(join(trails, 'gw-0'));
await using again = new TrailReader(options);
await measure('after a restart', again);
