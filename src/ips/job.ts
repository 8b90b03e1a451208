/**
 * Jobs of the tenant and their logs. A job id looks like SAP's: seven hex digits and the start in ms
 * (facts: IPS 1.4).
 */
import { randomBytes } from 'node:crypto';

import type { ZipFile } from './zip.ts';

export type JobType = 'READ' | 'RESYNC';

export interface Job {
  readonly id: string;
  readonly type: JobType;
  readonly sourceSystem: string;
  readonly triggeredBy: string;
  readonly startedAt: number;
  endedAt?: number;
  status: 'Running' | 'Success' | 'Finished with Error';
  readonly lines: string[];
}

export const logTypes = [
  'commonLog',
  'failedEntitiesLog',
  'skippedEntitiesLog',
  'createdEntitiesLog',
  'updatedEntitiesLog',
  'deletedEntitiesLog',
  'allErrorsLog', // in the documentation's example, not in its table
] as const;
export type LogType = (typeof logTypes)[number];

export class Jobs {
  readonly #jobs = new Map<string, Job>();

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  running(sourceSystem: string): Job | undefined {
    return this.#jobs.values().find((job) => job.sourceSystem === sourceSystem && job.status === 'Running');
  }

  start(type: JobType, sourceSystem: string, triggeredBy: string): Job {
    const startedAt = Date.now();
    const id = randomBytes(4).toString('hex').slice(0, 7) + startedAt;
    const job: Job = { id, type, sourceSystem, triggeredBy, startedAt, status: 'Running', lines: [] };
    this.#jobs.set(id, job);
    return job;
  }
}

export function logFile(job: Job, type: LogType): ZipFile {
  const stamp = new Date(job.startedAt).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
  const name = `ips_job${type[0]?.toUpperCase()}${type.slice(1)}s_${job.id}_${stamp}.log`;
  if (type !== 'commonLog') return { name, text: job.lines.join('\n') };
  const text = [
    `Job ID: ${job.id}`,
    `Job Type: ${job.type}`,
    'Trigger Type: IMMEDIATE',
    `Triggered By: Identity Provisioning API - ${job.triggeredBy}`,
    `Status: ${job.status}`,
    `Start Time: ${new Date(job.startedAt).toISOString()}`,
    `End Time: ${job.endedAt === undefined ? '' : new Date(job.endedAt).toISOString()}`,
  ];
  return { name, text: text.join('\n') };
}
