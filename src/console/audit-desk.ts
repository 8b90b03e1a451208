/**
 * What auditors ask. Invariant: that somebody looks, who and at what, is on stable storage before anything is shown; where
 * it cannot be recorded, nothing is shown.
 */
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { z } from 'zod';

import { describeError, log } from '../log.ts';
import type { AuditPulse } from './api/overview.ts';
import type { ExportFormat, VerifyJob } from './api/record.ts';
import type { AuditHealth, AuditQuery, PseudonymReply } from './api/trail.ts';
import { readQuery, recordedQuery } from './audit-query.ts';
import { Looks } from './looks.ts';
import { Refusal } from './refusal.ts';
import { whoIs, type Session } from './sessions.ts';
import { cursorParameter } from './trail/cursor.ts';
import { Exports } from './trail/export.ts';
import { TrailReader } from './trail/reader.ts';
import type { Looker } from './trail/shape.ts';
import type { TrailDeskOptions } from './trail/trail-desk.ts';
import { VerifyJobs, type VerifyWork } from './trail/verify-jobs.ts';

export interface AuditDeskOptions extends TrailDeskOptions {
  /** One durable record; rejects where it is not on stable storage. */
  readonly note: (event: string, facts: Record<string, unknown>) => Promise<void>;
  /** All pseudonyms of a text, one for each period and type; the newest period last. */
  readonly pseudonyms: (text: string, type?: 'id' | 'value' | 'name') => Promise<readonly string[]>;
  /** Whether a name is one of the configuration. */
  readonly isKnown: (name: string) => boolean;
  readonly pulse: () => Promise<Omit<AuditPulse, 'verifiedUntil'>>;
  /** Vouches for where the trails end. */
  readonly witness?: VerifyWork['witness'];
}

const recordId = /^[0-9a-f]{32}:[1-9]\d{0,15}$/;
const whole = (least: number, most: number) => z.coerce.number().int().min(least).max(most);
const pseudonymRequest = z.strictObject({
  value: z.string().min(1).max(1024),
  type: z.enum(['id', 'value', 'name']).optional(),
});
/** Of what a verification found; the rest is counted. */
const mostReasons = 5;

const jsonLines = ['application/x-ndjson', 'jsonl'] as const;
/** Media type and suffix of an export's file. */
const exportFiles: Readonly<Record<ExportFormat, readonly [type: string, suffix: string]>> = {
  ocsf: jsonLines,
  ecs: jsonLines,
  cef: ['text/plain', 'cef'],
  csv: ['text/csv', 'csv'],
  lines: jsonLines,
};

export class AuditDesk implements AsyncDisposable {
  readonly #options: AuditDeskOptions;
  readonly #reader: TrailReader;
  readonly #jobs: VerifyJobs;
  readonly #exports: Exports;
  readonly #looks = new Looks((event, facts) => this.#record(event, facts));

  constructor(options: AuditDeskOptions) {
    this.#options = options;
    const { trails, directory, key, budgetBytes } = options;
    this.#reader = new TrailReader({
      trails,
      directory,
      key,
      ...(budgetBytes !== undefined && { budgetBytes }),
    });
    this.#jobs = new VerifyJobs({
      trails,
      directory,
      key,
      ...(options.witness && { witness: options.witness }),
      onDone: (job) => void this.#recordVerdict(job),
    });
    this.#exports = new Exports(trails);
  }

  get verifiedUntil(): string | undefined {
    return this.#jobs.verifiedUntil;
  }

  async trails(who: Session, signal: AbortSignal): Promise<AuditHealth> {
    await this.#looks.noteOnce(who, 'trails');
    const states = await this.#reader.ask('states', undefined, signal);
    return { ...states, pulse: await this.pulse() };
  }

  async pulse(): Promise<AuditPulse> {
    const { verifiedUntil } = this;
    return { ...(await this.#options.pulse()), ...(verifiedUntil !== undefined && { verifiedUntil }) };
  }

  async pseudonyms(who: Session, body: unknown): Promise<PseudonymReply> {
    const { data } = pseudonymRequest.safeParse(body);
    if (!data) throw new Refusal(400, 'bad-request', 'A value and its type are wanted.');
    const pseudonyms = await this.#options.pseudonyms(data.value, data.type);
    // The newest period's are enough to tell which person was looked for.
    await this.#looks.note(who, 'pseudonyms', { type: data.type ?? 'any', pseudonyms: pseudonyms.slice(-3) });
    return { pseudonyms };
  }

  async histogram(who: Session, params: URLSearchParams, signal: AbortSignal) {
    const { query, further } = readQuery(params, { bars: whole(1, 240).default(120) });
    await this.#looks.noteOnce(who, 'search', await this.#recorded(query));
    return this.#reader.ask('histogram', { query, looker: lookerOf(who), bars: further.bars }, signal);
  }

  async records(who: Session, params: URLSearchParams, signal: AbortSignal) {
    const { query, further } = readQuery(params, {
      limit: whole(1, 1000).default(200),
      order: z.enum(['newest', 'oldest']).default('newest'),
      cursor: cursorParameter.optional(),
    });
    await this.#looks.noteOnce(who, 'search', await this.#recorded(query));
    const { limit, order, cursor } = further;
    const asked = { query, looker: lookerOf(who), limit, order, ...(cursor && { cursor }) };
    return this.#reader.ask('records', asked, signal);
  }

  async record(who: Session, id: string, signal: AbortSignal) {
    await this.#looks.note(who, 'record', { record: checkedId(id) });
    return this.#reader.ask('record', { id }, signal);
  }

  async proof(who: Session, id: string, signal: AbortSignal) {
    await this.#looks.note(who, 'proof', { record: checkedId(id) });
    return this.#reader.ask('proof', { id }, signal);
  }

  async verify(who: Session): Promise<VerifyJob> {
    await this.#looks.note(who, 'verification');
    return this.#jobs.start(who.name);
  }

  async verification(who: Session, job: string): Promise<VerifyJob> {
    const found = this.#jobs.look(job);
    if (found.state === 'done') await this.#looks.noteOnce(who, 'verification', { verdict: found.verdict });
    return found;
  }

  /** One that has ended is looked at, and nothing more. */
  async cancelVerification(who: Session, job: string): Promise<VerifyJob> {
    const { state, by } = this.#jobs.look(job);
    if (state === 'running') {
      await this.#record('console.acted', { ...whoIs(who), action: 'cancel-verification', begunBy: by });
      await this.#jobs.cancel(job);
    }
    return this.verification(who, job);
  }

  async export(who: Session, params: URLSearchParams, response: ServerResponse): Promise<void> {
    const { query, further } = readQuery(params, { format: z.enum(['ocsf', 'ecs', 'cef', 'csv', 'lines']) });
    const { format } = further;
    this.#exports.requireRoom();
    await this.#looks.note(who, 'export', { ...(await this.#recorded(query)), format });
    const [type, suffix] = exportFiles[format];
    response.writeHead(200, {
      'content-type': `${type}; charset=utf-8`,
      'content-disposition': `attachment; filename="gatehouse-audit-${format}.${suffix}"`,
    });
    // What breaks off has no last chunk, so nobody takes it for the whole.
    await pipeline(Readable.from(this.#exports.pieces(query, format)), response).catch((error: unknown) =>
      log.warn('an export of the console broke off', describeError(error)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#reader, this.#jobs, this.#exports].map((part) => part[Symbol.asyncDispose]()));
  }

  /** Also where nobody waits for it any more. */
  async #recordVerdict({ by, verdict, findings = [] }: VerifyJob): Promise<void> {
    const reasons = findings
      .slice(0, mostReasons)
      .map(({ instance = '', file, reason }) => [instance, file, reason].filter(Boolean).join(' '));
    const facts = { user: by, verdict, findings: findings.length, ...(reasons.length > 0 && { reasons }) };
    await this.#record('console.verified', facts).catch((error: unknown) =>
      log.warn('the verdict of a verification is not recorded', describeError(error)),
    );
  }

  #recorded(query: AuditQuery): Promise<Record<string, unknown>> {
    const { isKnown, pseudonyms } = this.#options;
    return recordedQuery(query, isKnown, async (value) => (await pseudonyms(value, 'value')).at(-1) ?? '');
  }

  async #record(event: string, facts: Record<string, unknown>): Promise<void> {
    try {
      await this.#options.note(event, facts);
    } catch (cause) {
      throw new Refusal(503, 'unavailable', 'It cannot be recorded, so it is neither shown nor done.', {
        cause,
      });
    }
  }
}

function lookerOf(who: Session): Looker {
  return { ...whoIs(who), since: who.beganAt };
}

function checkedId(id: string): string {
  if (!recordId.test(id)) throw new Refusal(404, 'not-found', 'There is no such record.');
  return id;
}
