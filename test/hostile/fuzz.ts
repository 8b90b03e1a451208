/**
 * Sends generated requests over kept-alive connections to a gateway in a process of its own, before a tenant that keeps
 * every byte. `npm run fuzz` plays CASES (100,000) from SEED, which it prints; what it finds it prints with the bytes.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { parse, stringify } from 'yaml';

import { startChild, type Child } from '../support/child.ts';
import { prepareInstallation } from '../support/installation.ts';
import { RawConnection } from '../support/raw.ts';
import { fieldsUp } from './fields-up.ts';
import { base, bytesOf, canary, sent, type Sent } from './generators.ts';
import { startRecordingTenant, type Arrived, type RecordingTenant } from './recording-tenant.ts';
import { readAnswers, type Reading } from './strict-answer.ts';

export interface FuzzReport {
  readonly cases: number;
  readonly seed: number;
  readonly seconds: number;
  /** How many requests reached the tenant. */
  readonly arrived: number;
  /** How often each status was answered; `none` where the gateway ended a connection without a word. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Resident memory of the gateway in MiB: after the first tenth, and the most from then on. */
  readonly memory: { readonly early: number; readonly most: number };
  /** The longest that an answer took, in milliseconds. */
  readonly slowest: number;
  /** Requests whose connection ended without a word; a caller that breaks off its own body gets none. */
  readonly unanswered: readonly string[];
  readonly findings: readonly string[];
}

export interface FuzzOptions {
  readonly cases: number;
  readonly seed: number;
  readonly connections?: number;
}

const batch = 500;
/** Far longer than the gateway gives to a head or a body here, as the machine may have others to serve. */
const silenceMs = 20_000;
const maxFindings = 20;

export async function fuzz({ cases, seed, connections = 24 }: FuzzOptions): Promise<FuzzReport> {
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-fuzz-'));
  const tenant = await startRecordingTenant();
  const { file, authorization } = await prepareInstallation(directory, tenant.url);
  await restrict(file);
  const child = await startChild(file);
  const run = new Run({ cases, seed, child, tenant, authorization });
  try {
    const begunAt = performance.now();
    await Promise.all(Array.from({ length: connections }, () => run.work()));
    await run.checkAlive();
    const seconds = (performance.now() - begunAt) / 1000;
    return { cases, seed, seconds, ...run.report() };
  } finally {
    const code = child.process.exitCode ?? (await child.end('SIGTERM'));
    if (code !== 0) run.find(`the gateway ended with ${code}`);
    await tenant[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  }
}

/** Short times, so that what says too little does not hold up the run; reads are not remembered, so that they go up. */
async function restrict(file: string): Promise<void> {
  const config = parse(await readFile(file, 'utf8'));
  for (const system of Object.values<Record<string, unknown>>(config.systems))
    system['cache'] = { enabled: false };
  config.limits = { headersTime: '300ms', bodyTime: '300ms', body: '64KiB' };
  await writeFile(file, stringify(config));
}

interface RunOptions extends FuzzOptions {
  readonly child: Child;
  readonly tenant: RecordingTenant;
  readonly authorization: string;
}

class Run {
  readonly #options: RunOptions;
  readonly #findings: string[] = [];
  readonly #statuses: Record<string, number> = {};
  readonly #authority: string;
  #waiting: Sent[] = [];
  #drawn = 0;
  #played = 0;
  #arrived = 0;
  #memory = { early: 0, most: 0 };
  #slowest = 0;
  readonly #unanswered: string[] = [];

  constructor(options: RunOptions) {
    this.#options = options;
    this.#authority = new URL(options.child.url).host;
  }

  find(what: string): void {
    if (this.#findings.length < maxFindings) this.#findings.push(what);
  }

  report(): Omit<FuzzReport, 'cases' | 'seed' | 'seconds'> {
    return {
      arrived: this.#arrived,
      statuses: this.#statuses,
      memory: this.#memory,
      slowest: Math.round(this.#slowest),
      unanswered: this.#unanswered,
      findings: this.#findings,
    };
  }

  async work(): Promise<void> {
    let connection: RawConnection | undefined;
    for (let next = this.#next(); next; next = this.#next()) {
      connection = connection?.isOpen ? connection : await RawConnection.open(this.#authority);
      const bytes = bytesOf(next, this.#authority, this.#options.authorization);
      const askedAt = performance.now();
      const reading = await ask(connection, bytes, next.method === 'HEAD');
      this.#slowest = Math.max(this.#slowest, performance.now() - askedAt);
      this.#judge(reading, bytes);
      // What was framed in doubt may leave bytes behind that are the beginning of another request.
      const isDoubtful = next.framing !== 'length' || next.cuts.length > 0 || next.fields.some(frames);
      if (isDoubtful || reading.faults.length > 0) connection[Symbol.dispose]();
    }
    connection?.[Symbol.dispose]();
  }

  /** After all that, the gateway lives, and serves a plain call. */
  async checkAlive(): Promise<void> {
    const { child, authorization } = this.#options;
    const alive = await fetch(`${child.admin}/health/live`);
    const answer = await fetch(`${child.url}${base}/Users/alive`, { headers: { authorization } });
    if (alive.status !== 200 || answer.status !== 200)
      this.find(`afterwards health is ${alive.status} and a call is answered with ${answer.status}`);
    this.#checkTenant();
    this.#measure();
  }

  #next(): Sent | undefined {
    const { cases, seed } = this.#options;
    if (this.#waiting.length === 0 && this.#drawn < cases) {
      const numRuns = Math.min(batch, cases - this.#drawn);
      this.#waiting = fc.sample(sent, { numRuns, seed: seed + this.#drawn });
      this.#drawn += numRuns;
      this.#checkTenant();
      this.#measure();
    }
    return this.#waiting.pop();
  }

  #judge({ statuses, faults }: Reading, bytes: string): void {
    this.#played += 1;
    if (statuses.includes('none') && this.#unanswered.length < maxFindings) this.#unanswered.push(bytes);
    for (const status of statuses) this.#statuses[status] = (this.#statuses[status] ?? 0) + 1;
    for (const fault of faults) this.find(`${fault}\n    sent: ${JSON.stringify(bytes)}`);
  }

  #checkTenant(): void {
    const { tenant, authorization } = this.#options;
    for (const fault of tenant.faults.splice(0)) this.find(`the tenant saw ${fault}`);
    for (const each of tenant.arrived.splice(0)) {
      this.#arrived += 1;
      const fault = faultOf(each, authorization);
      if (fault) this.find(`${fault}\n    the tenant saw: ${JSON.stringify(each)}`);
    }
  }

  #measure(): void {
    const { pid } = this.#options.child.process;
    const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
    const mebibytes = Math.round(Number(stdout) / 1024);
    if (this.#played <= this.#options.cases / 10)
      this.#memory.early = Math.max(this.#memory.early, mebibytes);
    this.#memory.most = Math.max(this.#memory.most, mebibytes);
  }
}

const frames = (field: string): boolean =>
  /^(?:content-length|transfer-encoding|expect|host|connection)/i.test(field) ||
  !/^[!-9;-~]+: [!-~ ]*$/.test(field);

const cleanLine = new RegExp(
  `^[A-Z]+ ${base}/(?:Users|Groups)(?:/(?!\\.{1,2}[ ?])(?:(?!%(?:25[0-9A-Fa-f]{2}|2[Ff]|5[Cc]|3[Bb]|[01]|7[Ff]))[A-Za-z0-9\\-._~!$&'()*+,=:@%])+)?(?:\\?[^ #]*)? HTTP/1\\.1$`,
);

/** This tenant wants no credential, so that any that it sees is somebody else's. */
function faultOf(request: Arrived, authorization: string): string | undefined {
  const names = request.fields.map((field) => field.slice(0, field.indexOf(':')).toLowerCase());
  const strange = names.find((name) => !fieldsUp.has(name));
  if (strange !== undefined) return `the field ${strange} went up`;
  if (new Set(names).size < names.length) return 'a field went up twice';
  const whole = JSON.stringify(request);
  if (whole.includes(canary) || whole.includes(authorization.slice('Basic '.length)))
    return 'a secret went up';
  if (!cleanLine.test(request.line)) return 'a path went up that was not authorised';
  return undefined;
}

/** Everything until the final answer; where that announces the end, until the end. */
async function ask(connection: RawConnection, bytes: string, isHead: boolean): Promise<Reading> {
  connection.forget();
  connection.send(Buffer.from(bytes, 'latin1'));
  const until = performance.now() + silenceMs;
  for (;;) {
    const reading = readAnswers(connection.unread, isHead);
    const isOver = reading.isFinal && !reading.isLast;
    const hasEnded = !connection.isOpen;
    if (reading.faults.length > 0 || isOver || hasEnded) {
      if (hasEnded && !reading.isFinal) reading.statuses.push('none');
      if (hasEnded && reading.rest) reading.faults.push('an answer that was cut off');
      return reading;
    }
    const left = until - performance.now();
    if (left <= 0) return { ...reading, faults: [...reading.faults, 'no answer, and no end'] };
    await connection.more(left).catch(() => undefined); // the next turn tells of it
  }
}

if (import.meta.main) {
  const cases = Number(process.env['CASES'] ?? 100_000);
  const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
  console.log(`${cases} cases from seed ${seed}`);
  const { findings, ...report } = await fuzz({ cases, seed });
  console.log(JSON.stringify(report, null, 2));
  for (const finding of findings) console.log(`FOUND ${finding}`);
  process.exitCode = findings.length > 0 ? 1 : 0;
}
