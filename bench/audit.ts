/**
 * What a durable record of the trail costs, beside a bare write and fdatasync of the same bytes and beside winston's
 * file transport, which confirms nothing, and the trail behind a transport of winston; all on the same disk in one run.
 * Then how fast the trail verifies.
 *
 *   node bench/audit.ts [seconds per measurement, default 2] [MiB to verify, default 256]
 */
import { mkdtempDisposable, open, readdir, stat } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';

import winston from 'winston';

import { Journal } from '../src/audit/journal.ts';
import { verifyTrail } from '../src/audit/verify.ts';

interface Contender {
  /** Resolves when the contender says that the record is written. */
  append(): Promise<unknown>;
}

interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

const [seconds = 2, verifyMiB = 256] = process.argv.slice(2).map(Number);
const rounds = 3;
const callers = [1, 8, 64, 512];
/** As large as the record of a call is on average. */
const members = {
  req: '0199f0a2-7c1e-7a10-9e2b-3c5d5f7a9b11',
  actor: { name: 'identity-manager', auth: 'basic', credential: 'jyOI2zQAWl5ihs9rSYujLA' },
  src: { ip: '192.0.2.7', port: 51234, tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' } },
  op: {
    api: 'proxy',
    kind: 'replace',
    effect: 'write',
    tenant: 'acme',
    system: 'people',
    resourceType: 'Users',
  },
  upstream: { purpose: 'call', tenant: 'acme', system: 'people', host: 'acme.example.com', method: 'PUT' },
};

await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-bench-audit-'));
const trailDirectory = join(directory.path, 'audit');
await using journal = await Journal.open({
  directory: trailDirectory,
  instance: 'bench',
  inst: { name: 'bench' },
  secret: Buffer.alloc(32, 7),
});
await using file = await open(join(directory.path, 'bare'), 'w');
const line = Buffer.from(`${JSON.stringify({ ...members, padding: 'x'.repeat(190) })}\n`);
const logger = winston.createLogger({
  format: winston.format.json(),
  transports: [new winston.transports.File({ filename: join(directory.path, 'winston') })],
});

/** One record after the other, as a loop does that knows no better. */
function bareLoop(): Contender {
  let offset = 0;
  let turn: Promise<unknown> = Promise.resolve();
  const write = async (): Promise<void> => {
    offset += (await file.write(line, 0, line.length, offset)).bytesWritten;
    await file.datasync();
  };
  return { append: () => (turn = turn.then(write)) };
}

interface Handed {
  readonly settle: (written: Promise<number>) => void;
}

/** The trail as a destination of winston, which hands records over and takes no answer back. */
const throughWinston = winston.createLogger({ format: winston.format((info) => info)(), transports: [] });
throughWinston.pipe(
  new Writable({
    objectMode: true,
    write({ settle }: Handed, _encoding, next) {
      settle(journal.append('request.outcome', members));
      // Before the disk has it: winston would send one record after the other else, and no batch would come about.
      next();
    },
  }),
);

const contenders: Readonly<Record<string, Contender>> = {
  'write + fdatasync': bareLoop(),
  'winston File': {
    append: () =>
      new Promise<void>((resolve) => void logger.write({ level: 'info', ...members }, () => resolve())),
  },
  'trail, in winston': {
    append: () =>
      new Promise<number>((resolve, reject) => {
        const settle: Handed['settle'] = (written) => void written.then(resolve, reject);
        throughWinston.write({ level: 'info', ...members, settle });
      }),
  },
  trail: { append: () => journal.append('request.outcome', members) },
};

async function measure(contender: Contender, count: number, ms: number): Promise<Figures> {
  const took: number[] = [];
  const startedAt = performance.now();
  const until = startedAt + ms;
  const call = async (): Promise<void> => {
    for (let at = performance.now(); at < until;) {
      await contender.append();
      const now = performance.now();
      took.push(now - at);
      at = now;
    }
  };
  await Promise.all(Array.from({ length: count }, call));
  const sorted = Float64Array.from(took).toSorted();
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  return { perSecond: (took.length / (performance.now() - startedAt)) * 1000, p50: at(0.5), p99: at(0.99) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}

function middleOf(all: readonly Figures[]): Figures {
  const of = (pick: (figures: Figures) => number): number => median(all.map(pick));
  return { perSecond: of((f) => f.perSecond), p50: of((f) => f.p50), p99: of((f) => f.p99) };
}

const load = (): string =>
  loadavg()
    .map((value) => value.toFixed(1))
    .join(' ');
console.log(
  `${cpus()[0]?.model}, ${availableParallelism()} cores, load ${load()}; ${line.length} bytes a record`,
);
console.log(`medians of ${rounds} rounds of ${seconds} s each; milliseconds from call to confirmation\n`);
console.log('callers  contender           records/s       p50       p99');
const found = new Map<string, Figures>();
for (const count of callers) {
  const results: Record<string, Figures[]> = {};
  for (let round = 0; round < rounds; round += 1)
    for (const [name, contender] of Object.entries(contenders))
      (results[name] ??= []).push(await measure(contender, count, seconds * 1000));
  for (const [name, all] of Object.entries(results)) {
    const { perSecond, p50, p99 } = middleOf(all);
    found.set(`${count} ${name}`, { perSecond, p50, p99 });
    const figures = [
      perSecond.toFixed(0).padStart(9),
      p50.toFixed(2).padStart(9),
      p99.toFixed(2).padStart(9),
    ];
    console.log(`${String(count).padStart(7)}  ${name.padEnd(18)} ${figures.join(' ')}`);
  }
}
const at64 = found.get('64 trail');
const alone = found.get('1 write + fdatasync');
const queued = found.get('64 write + fdatasync');
if (at64 && alone && queued) {
  console.log(`\nat 64 callers: ${at64.perSecond.toFixed(0)} durable records/s (target 10,000)`);
  const times = (bare: Figures): string => (at64.p99 / bare.p99).toFixed(2);
  console.log(
    `p99 ${times(queued)} × the bare loop's with as many callers, ${times(alone)} × with one (target 3)`,
  );
}

const wanted = verifyMiB * 1024 * 1024;
const bytesOf = async (): Promise<number> => {
  const files = await readdir(join(trailDirectory, 'bench'));
  const sizes = await Promise.all(
    files.map(async (name) => (await stat(join(trailDirectory, 'bench', name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};
while ((await bytesOf()) < wanted) await measure(contenders['trail'] ?? bareLoop(), 512, 1000);
const startedAt = performance.now();
const { verdict, instances } = await verifyTrail(trailDirectory);
const tookMs = performance.now() - startedAt;
const verified = instances.reduce((sum, { bytes }) => sum + bytes, 0);
console.log(
  `${verdict}: verified ${(verified / 2 ** 20).toFixed(0)} MiB in ${(tookMs / 1000).toFixed(1)} s: ${(verified / 1000 / tookMs).toFixed(0)} MB/s (target 100); load ${load()}`,
);
logger.close();
