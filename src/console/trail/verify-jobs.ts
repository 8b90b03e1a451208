/** Verifications that somebody asked for: one at a time, with its progress, until it is done or given up. */
import { randomUUID } from 'node:crypto';
import { Worker } from 'node:worker_threads';

import type { Finding, TrailReport } from '../../audit/verdict.ts';
import { describeError, log } from '../../log.ts';
import type { VerifyFinding, VerifyJob } from '../api/record.ts';
import { Refusal } from '../refusal.ts';
import { given } from './rows.ts';

export interface VerifyWork {
  readonly trails: string;
  /** Where it is kept how far the trails were verified. */
  readonly directory: string;
  /** Seals that. */
  readonly key: Buffer;
  /** Cosigns checkpoints elsewhere. */
  readonly witness?: { readonly url: string; readonly publicKey: string };
}

export interface VerifyJobsOptions extends VerifyWork {
  /** Told of each that came to its end, by whom it was begun. */
  readonly onDone: (job: VerifyJob) => void;
}

export type VerifyMessage =
  | { readonly bytesDone: number; readonly bytesTotal?: number }
  | { readonly report: TrailReport };

type Progress = { -readonly [Name in keyof VerifyJob]: VerifyJob[Name] };

/** Findings beyond these are for `gatehouse audit verify`. */
const mostFindings = 200;
const mostJobs = 20;

export class VerifyJobs implements AsyncDisposable {
  readonly #work: VerifyWork;
  readonly #onDone: VerifyJobsOptions['onDone'];
  readonly #jobs = new Map<string, Progress>();
  #running: { readonly job: Progress; readonly worker: Worker } | undefined;
  /** The last instant up to which a trail was found to be in order. */
  verifiedUntil: string | undefined;

  constructor({ onDone, ...work }: VerifyJobsOptions) {
    this.#work = work;
    this.#onDone = onDone;
  }

  /** The one that runs, when one does. */
  start(by: string): VerifyJob {
    if (this.#running) return { ...this.#running.job };
    const startedAt = new Date().toISOString();
    const job: Progress = { id: randomUUID(), state: 'running', by, startedAt, bytesDone: 0, bytesTotal: 0 };
    const worker = new Worker(new URL('verify-worker.ts', import.meta.url), {
      workerData: this.#work,
    });
    worker.unref();
    this.#running = { job, worker };
    this.#jobs.set(job.id, job);
    const [oldest] = this.#jobs.keys();
    if (this.#jobs.size > mostJobs && oldest !== undefined) this.#jobs.delete(oldest);
    worker.on('message', (message: VerifyMessage) => this.#take(job, message));
    worker.on('error', (error: unknown) => {
      log.warn('a verification failed', describeError(error));
      this.#end(job, 'failed');
    });
    return { ...job };
  }

  look(id: string): VerifyJob {
    const job = this.#jobs.get(id);
    if (!job) throw new Refusal(404, 'not-found', 'There is no such verification.');
    return { ...job };
  }

  async cancel(id: string): Promise<VerifyJob> {
    this.look(id);
    if (this.#running?.job.id === id) {
      const { job, worker } = this.#running;
      this.#end(job, 'cancelled');
      await worker.terminate();
    }
    return this.look(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.worker.terminate();
  }

  #take(job: Progress, message: VerifyMessage): void {
    if (job.state !== 'running') return;
    if (!('report' in message)) return void Object.assign(job, message);
    const { verdict, instances } = message.report;
    job.verdict = verdict;
    job.findings = findingsOf(message.report);
    job.instances = instances.map((each) => ({
      instance: each.instance,
      verdict: each.verdict,
      records: each.records,
      running: each.running,
      remarks: each.remarks,
      ...given({ firstAt: each.firstTs, lastAt: each.lastTs }),
      ...given({ coveredTo: each.checkpointed, witnessedAt: each.witnessedAt }),
    }));
    job.bytesDone = job.bytesTotal;
    if (verdict === 'ok' || verdict === 'incomplete') this.verifiedUntil = latest(message.report);
    this.#end(job, 'done');
    this.#onDone({ ...job });
  }

  #end(job: Progress, state: VerifyJob['state']): void {
    job.state = state;
    job.endedAt = new Date().toISOString();
    if (this.#running?.job === job) this.#running = undefined;
  }
}

function findingsOf({ findings, instances }: TrailReport): VerifyFinding[] {
  const own = instances.flatMap(({ instance, findings: found }) =>
    found.map((each) => tellOf(each, instance)),
  );
  return [...findings.map((each) => tellOf(each)), ...own].slice(0, mostFindings);
}

function tellOf({ verdict, file, reason, seq }: Finding, instance?: string): VerifyFinding {
  return { verdict, file, reason, ...given({ instance, seq }) };
}

function latest({ instances }: TrailReport): string | undefined {
  const ends = instances.map(({ lastTs }) => lastTs).filter((ts) => ts !== undefined);
  return ends.toSorted().at(-1);
}
