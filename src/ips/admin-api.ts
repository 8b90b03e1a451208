/** The tenant's admin interface: start a job of a source system, export a job's log (facts: IPS 1.4). */
import { jsonAnswer, methodNotAllowed, type Answer, type Ask } from './answer.ts';
import type { Assumptions } from './assumptions.ts';
import { logFile, logTypes, type Job, type Jobs } from './job.ts';
import { Refusal } from './refusal.ts';
import type { System } from './system.ts';
import type { TechnicalUser } from './technical-users.ts';
import { zip } from './zip.ts';

export interface AdminParts {
  readonly systems: ReadonlyMap<string, System>;
  readonly assumptions: Assumptions;
  readonly jobs: Jobs;
  readonly run: (job: Job) => void;
}

export class AdminApi {
  readonly #parts: AdminParts;

  constructor(parts: AdminParts) {
    this.#parts = parts;
  }

  /** @param below the path's segments behind `/publicapi/v1` */
  async answer(ask: Ask, below: readonly string[], user: TechnicalUser): Promise<Answer> {
    const [name, id = '', jobs, type, ...more] = below;
    if (
      name === 'startJob' &&
      jobs === 'jobs' &&
      (type === 'READ' || type === 'RESYNC') &&
      more.length === 0
    ) {
      if (ask.method !== 'POST') throw methodNotAllowed('POST');
      return this.#start(id, type, user);
    }
    if (name === 'jobLogs' && id !== '' && jobs === undefined) {
      if (ask.method !== 'GET') throw methodNotAllowed('GET');
      return this.#export(id, ask.query);
    }
    throw new Refusal(404, 'There is no such endpoint.');
  }

  #start(systemId: string, type: 'READ' | 'RESYNC', user: TechnicalUser): Answer {
    const { systems, assumptions, jobs, run } = this.#parts;
    const source = systems.get(systemId);
    if (source?.role !== 'source') throw new Refusal(404, 'There is no such source system.');
    if (jobs.running(systemId) && assumptions.startJobWhileRunning === 'refuse')
      throw new Refusal(409, 'A job of the source system is running.');
    const job = jobs.start(type, systemId, `Identity Provisioning API - ${user.clientId}`, 'IMMEDIATE');
    run(job);
    return assumptions.startJob === 'job-id'
      ? jsonAnswer(200, { jobId: job.id })
      : { status: 202, headers: {}, body: '' };
  }

  #export(jobId: string, query: URLSearchParams): Answer {
    const job = this.#parts.jobs.get(jobId);
    if (!job) throw new Refusal(404, 'There is no such job.');
    const type = logTypes.find((known) => known === query.get('logType'));
    if (query.get('action') !== 'export' || !type)
      throw new Refusal(400, 'The action or logType is unknown.');
    const file = logFile(job, type, this.#parts.systems.get(job.sourceSystem)?.properties ?? {});
    const disposition = `attachment; filename="${file.name.replace(/\.log$/, '.zip')}"`;
    const headers = { 'content-type': 'application/zip', 'content-disposition': disposition };
    return { status: 200, headers, body: zip([file]) };
  }
}
