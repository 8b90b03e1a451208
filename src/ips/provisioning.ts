/**
 * Standard mode: entities of a source system are written to the target systems that subscribe to it, by jobs
 * and by real-time notices (facts: IPS 9, 10). A job deletes only what a complete reading did not show.
 */
import { setImmediate as turn } from 'node:timers/promises';

import { Correlations, type Correlation } from './correlations.ts';
import type { Job } from './job.ts';
import { PendingJobs, type PendingJob } from './pending-jobs.ts';
import { BackendFailure, Refusal } from './refusal.ts';
import type { ResourceType } from './resource.ts';
import { restrictionOf, type System } from './system.ts';
import { writeToTarget, removeFromTarget, type Provisioned, type TargetParts } from './target-write.ts';

export interface RealtimeNotice {
  readonly source: System;
  readonly entity: 'user' | 'group';
  readonly id: string;
  readonly deleted: boolean;
}

const pageSize = 100;
/** Users first, so that groups find their members in the target. */
const order: readonly ResourceType[] = ['Users', 'Groups'];

export class Provisioning implements AsyncDisposable {
  readonly #systems: ReadonlyMap<string, System>;
  readonly #correlations: Correlations;
  readonly #pending: PendingJobs;
  /** When the last complete job of a source began; a delta read starts there. */
  readonly #readAt = new Map<string, string>();
  /** Delta reads of a source since its last full read; those of a schedule only. */
  readonly #deltas = new Map<string, number>();
  /** Work of one source goes one after the other. */
  readonly #tails = new Map<string, Promise<void>>();
  #closing = false;

  /** @param stateFile for what is remembered of targets without a file of their own; in memory when absent */
  constructor(systems: ReadonlyMap<string, System>, stateFile?: string) {
    this.#systems = systems;
    this.#correlations = new Correlations(stateFile);
    this.#pending = new PendingJobs(stateFile);
  }

  /** Jobs that the last end interrupted; they are asked for once. */
  takePending(): PendingJob[] {
    return this.#pending.take();
  }

  /** When it resolves, the job has ended, one way or the other. */
  run(job: Job): Promise<void> {
    return this.#inTurn(job.sourceSystem, async () => {
      try {
        await this.#perform(job);
      } catch (error) {
        job.error = reasonOf(error);
      }
      const failed = job.error !== undefined || job.entries.some(({ event }) => event === 'failed');
      job.status = failed ? 'Finished with Error' : 'Success';
      if (this.#closing && job.error !== undefined) this.#leavePending(job);
      job.endedAt = Date.now();
    });
  }

  #leavePending(job: Job): void {
    const { sourceSystem: source, type: jobType, position = { type: 'Users', startIndex: 1 } } = job;
    this.#pending.add({ source, jobType, ...position });
    job.status = 'Pending Restart';
  }

  /** Reads the entity again from its source and brings it to the targets (facts: IPS 1.3). */
  take({ source, entity, id, deleted }: RealtimeNotice, job: Job): Promise<void> {
    const type = entity === 'user' ? 'Users' : 'Groups';
    return this.#inTurn(source.id, async () => {
      try {
        if (!source.enabled) throw new Error('The source system is disabled.');
        const read = deleted ? undefined : await this.#readAgain(source, type, id, job);
        for (const target of this.#targetsOf(source)) {
          const parts = this.#parts(source, target, type, job);
          if (read) await writeToTarget(parts, read, { always: true });
          else await removeFromTarget(parts, id);
        }
      } catch (error) {
        job.error = reasonOf(error);
      }
      job.status = job.error === undefined ? 'Success' : 'Finished with Error';
      job.endedAt = Date.now();
    });
  }

  /** Waits for all that was begun. */
  async settle(): Promise<void> {
    await Promise.all(this.#tails.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    await this.settle();
    this.#correlations[Symbol.dispose]();
    this.#pending[Symbol.dispose]();
  }

  #inTurn(sourceId: string, work: () => Promise<void>): Promise<void> {
    const turn = (this.#tails.get(sourceId) ?? Promise.resolve()).then(work);
    this.#tails.set(sourceId, turn);
    return turn;
  }

  async #perform(job: Job): Promise<void> {
    const source = this.#systems.get(job.sourceSystem);
    if (!source) throw new Error('There is no such source system.');
    if (!source.enabled) throw new Error('The source system is disabled.');
    const since = job.type === 'READ' ? this.#deltaStart(source, job) : undefined;
    job.readMode = since === undefined ? 'Full' : 'Delta';
    const beganAt = new Date().toISOString();
    const resumed = job.position;
    for (const type of order.slice(resumed ? order.indexOf(resumed.type) : 0))
      if (source.transformer.supports(type)) await this.#provision(job, source, type, since);
    if (job.type === 'SIMULATE' || resumed) return; // no base of a delta: it has read for nobody, or in part
    this.#readAt.set(source.id, beganAt);
    if (since === undefined) this.#deltas.delete(source.id);
    else if (job.trigger === 'REPEAT') this.#deltas.set(source.id, (this.#deltas.get(source.id) ?? 0) + 1);
  }

  /** The first read of a source is always full, and so is one after so many scheduled delta reads, until it succeeds. */
  #deltaStart({ id, properties }: System, { trigger }: Job): string | undefined {
    if (properties['ips.delta.read'] !== 'enabled') return undefined;
    const most = Number(properties['ips.full.read.force.count'] ?? Infinity);
    const isDue = trigger === 'REPEAT' && (this.#deltas.get(id) ?? 0) >= most;
    return isDue ? undefined : this.#readAt.get(id);
  }

  async #provision(job: Job, source: System, type: ResourceType, since: string | undefined): Promise<void> {
    const seen = new Set<string>();
    const startIndex = job.position?.type === type ? job.position.startIndex : 1;
    let complete = since === undefined && startIndex === 1;
    const targets = this.#targetsOf(source).map((target) => this.#parts(source, target, type, job));
    for await (const { outcome, position } of readAll(source, type, startIndex, since)) {
      job.position = position;
      if (this.#closing) throw new Error('The tenant is shutting down.');
      const { id } = outcome;
      job.entries.push({ event: 'read', type, system: `${source.name}.source`, entityId: id });
      if (outcome.kind === 'resource') {
        seen.add(id);
        for (const target of targets) await writeToTarget(target, outcome, { always: job.type === 'RESYNC' });
      } else {
        const event = outcome.kind === 'failed' ? 'failed' : 'skipped';
        if (event === 'failed') complete = false;
        job.entries.push({
          event,
          type,
          system: `${source.name}.source`,
          entityId: id,
          reason: outcome.reason,
        });
      }
    }
    if (complete) for (const target of targets) await deleteUnseen(job, target, seen);
  }

  async #readAgain(
    source: System,
    type: ResourceType,
    id: string,
    job: Job,
  ): Promise<Provisioned | undefined> {
    try {
      const outcome = source.transformer.readForJob(type, await source.backend.get(type, id));
      if (outcome.kind === 'failed') throw new Error(outcome.reason);
      job.entries.push({ event: 'read', type, system: `${source.name}.source`, entityId: id });
      // A condition that is no longer met takes the entity away from the targets (facts: IPS 10).
      return outcome.kind === 'resource' ? outcome : undefined;
    } catch (error) {
      if (error instanceof BackendFailure && error.status === 404) return undefined;
      throw error;
    }
  }

  #targetsOf(source: System): System[] {
    return [...this.#systems.values()].filter(
      ({ role, enabled, sources }) =>
        role === 'target' && enabled && (sources === undefined || sources.includes(source.id)),
    );
  }

  #parts(source: System, target: System, type: ResourceType, job: Job): TargetParts {
    const known = this.#correlations.between(source, target, type);
    const ofUsers = this.#correlations.between(source, target, 'Users');
    const ofGroups = this.#correlations.between(source, target, 'Groups');
    return {
      target,
      type,
      job,
      known,
      resolveId: ({ id, entityType }) =>
        (entityType === 'group' ? ofGroups.get(id) : (ofUsers.get(id) ?? undefined))?.targetId,
    };
  }
}

async function* readAll(source: System, type: ResourceType, firstIndex: number, since: string | undefined) {
  const restriction = restrictionOf(source, type);
  const match = since && { attribute: 'meta.lastModified', operator: 'gt' as const, value: since };
  for (let startIndex = firstIndex; ;) {
    const { resources } = await source.backend.page(type, {
      startIndex,
      count: pageSize,
      ...(match ? { match } : { ofFullRead: true }),
      ...(restriction !== undefined && { restriction }),
    });
    const position = { type, startIndex };
    for (const entity of resources) yield { outcome: source.transformer.readForJob(type, entity), position };
    if (resources.length === 0) return;
    startIndex += resources.length; // a backend may give fewer than it was asked for
    await turn(); // embedded backends never wait, and callers of the proxy want answers meanwhile
  }
}

async function deleteUnseen(job: Job, parts: TargetParts, seen: ReadonlySet<string>): Promise<void> {
  const unseen = parts.known.ids().filter((id) => !seen.has(id));
  const deletable = unseen.filter((id) => mayDelete(parts.target, parts.known.get(id)));
  const threshold = parts.target.properties[`ips.delete.threshold.${parts.type.toLowerCase()}`];
  if (threshold !== undefined && deletable.length > Number(threshold)) {
    job.error = `${deletable.length} deletions are due in ${parts.target.name}, more than its threshold of ${threshold}`;
    return;
  }
  for (const id of unseen) await removeFromTarget(parts, id);
}

function mayDelete({ properties }: System, correlation: Correlation | undefined): boolean {
  return correlation?.existedBefore === false || properties['ips.delete.existedbefore.entities'] === 'true';
}

function reasonOf(error: unknown): string {
  if (error instanceof BackendFailure) return `HTTP operation failed with statusCode: ${error.status}`;
  if (error instanceof Refusal || error instanceof Error) return error.message;
  return String(error);
}
