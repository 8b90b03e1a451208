/**
 * Jobs of the tenant and their logs. A job id looks like SAP's: seven hex digits and the start in ms
 * (facts: IPS 1.4). Who is named in a log is decided by the source's trace properties.
 */
import { randomBytes } from 'node:crypto';

import type { ResourceType } from './resource.ts';
import type { ZipFile } from './zip.ts';

/** SIMULATE does what a full READ would do, and writes nothing. */
export const jobTypes = ['READ', 'RESYNC', 'SIMULATE'] as const;
export type JobType = (typeof jobTypes)[number];
/** Run now, or by schedule. */
export type Trigger = 'IMMEDIATE' | 'REPEAT';
export type Event = 'read' | 'created' | 'updated' | 'deleted' | 'skipped' | 'failed';

/** What became of one entity in one system. */
export interface JobEntry {
  readonly event: Event;
  readonly type: ResourceType;
  /** As in SAP's logs: the system's name with `.source` or `.target`. */
  readonly system: string;
  readonly entityId: string;
  readonly reason?: string;
}

export interface Position {
  readonly type: ResourceType;
  readonly startIndex: number;
}

export interface Job {
  readonly id: string;
  readonly type: JobType;
  readonly sourceSystem: string;
  readonly trigger: Trigger;
  /** As SAP's logs name it. */
  readonly triggeredBy: string;
  readonly startedAt: number;
  endedAt?: number;
  /** Pending Restart: the tenant ended; its next start resumes the job under a new id. */
  status: 'Running' | 'Success' | 'Finished with Error' | 'Pending Restart';
  /** Why the job as a whole failed. */
  error?: string;
  readMode: 'Full' | 'Delta';
  /** The page that is being read; where a resumed job begins. */
  position?: Position;
  readonly entries: JobEntry[];
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

/** SAP keeps logs for days; a stand-in keeps so many. */
const mostJobs = 100;

export class Jobs {
  readonly #jobs = new Map<string, Job>();

  get(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  running(sourceSystem: string): Job | undefined {
    return this.#jobs.values().find((job) => job.sourceSystem === sourceSystem && job.status === 'Running');
  }

  start(type: JobType, sourceSystem: string, triggeredBy: string, trigger: Trigger): Job {
    const job = createJob(type, sourceSystem, triggeredBy, trigger);
    const [oldest] = this.#jobs.values();
    if (this.#jobs.size >= mostJobs && oldest && oldest.status !== 'Running') this.#jobs.delete(oldest.id);
    this.#jobs.set(job.id, job);
    return job;
  }
}

/** A job that no log export finds; a real-time notice is recorded in one. */
export function createJob(
  type: JobType,
  sourceSystem: string,
  triggeredBy: string,
  trigger: Trigger = 'IMMEDIATE',
): Job {
  const startedAt = Date.now();
  return {
    id: randomBytes(4).toString('hex').slice(0, 7) + startedAt,
    type,
    sourceSystem,
    trigger,
    triggeredBy,
    startedAt,
    status: 'Running',
    readMode: 'Full',
    entries: [],
  };
}

/** How many entities met each event, by type and system: `Users HR.source` → read → 5. */
export function statistics({
  entries,
}: Pick<Job, 'entries'>): Record<string, Partial<Record<Event, number>>> {
  const figures: Record<string, Partial<Record<Event, number>>> = {};
  for (const { type, system, event } of entries) {
    const row = (figures[`${type} ${system}`] ??= {});
    row[event] = (row[event] ?? 0) + 1;
  }
  return figures;
}

/** @param properties those of the source system */
export function logFile(job: Job, type: LogType, properties: Readonly<Record<string, string>>): ZipFile {
  const stamp = new Date(job.startedAt).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
  const name = `${nameOf(type)}_${job.id}_${stamp}.log`;
  if (type === 'commonLog') return { name, text: commonLog(job) };
  if (type === 'failedEntitiesLog') return { name, text: sections(job, 'failed') };
  if (type === 'allErrorsLog')
    return { name, text: [job.error ?? [], sections(job, 'failed')].flat().join('\n') };
  const event = type.slice(0, type.indexOf('Entities'));
  const traced = properties[`ips.trace.${event}.entity`] === 'true';
  return { name, text: traced ? sections(job, event) : '' };
}

function nameOf(type: LogType): string {
  if (type === 'commonLog') return 'ips_jobLogs';
  if (type === 'allErrorsLog' || type === 'failedEntitiesLog') return 'ips_jobErrorLogs';
  return `ips_job${type[0]?.toUpperCase()}${type.slice(1)}s`;
}

function commonLog(job: Job): string {
  const lines = [
    `Job ID: ${job.id}`,
    `Job Type: ${job.type}`,
    `Read Mode: ${job.readMode}`,
    `Trigger Type: ${job.trigger}`,
    `Triggered By: ${job.triggeredBy}`,
    `Status: ${job.status}`,
    `Start Time: ${new Date(job.startedAt).toISOString()}`,
    `End Time: ${job.endedAt === undefined ? '' : new Date(job.endedAt).toISOString()}`,
    ...(job.error === undefined ? [] : [`Error Message: ${job.error}`]),
  ];
  const figures = Object.entries(statistics(job)).map(([system, row]) => `${system}: ${JSON.stringify(row)}`);
  return [...lines, ...figures].join('\n');
}

/** One section per entity and system, begun by the entity's id. */
function sections(job: Job, event: string): string {
  return job.entries
    .filter((entry) => entry.event === event)
    .map(({ entityId, system, reason }) =>
      [
        `Entity ID: ${entityId}`,
        `System: ${system}`,
        ...(reason === undefined ? [] : [`Reason: ${reason}`]),
      ].join('\n'),
    )
    .join('\n\n');
}
