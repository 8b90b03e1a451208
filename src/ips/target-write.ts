/**
 * One entity on its way into one target system: created, found when it is there already, updated, removed.
 * Whatever happens is an entry of the job, and one entity's failure stops no other.
 */
import { hash } from 'node:crypto';

import { schemas } from '../scim/message.ts';
import type { ResolveId } from '../transformation/function-kind.ts';
import type { Correlation, Known } from './correlations.ts';
import type { Event, Job } from './job.ts';
import { BackendFailure } from './refusal.ts';
import { uniqueAttribute, type Resource, type ResourceType } from './resource.ts';
import { updatesByPatch, type System } from './system.ts';
import type { JobWrite } from './transformer.ts';

export interface TargetParts {
  readonly target: System;
  readonly type: ResourceType;
  readonly job: Job;
  /** By the id in the source. */
  readonly known: Known;
  readonly resolveId: ResolveId;
}

/** An entity as its source's read transformation left it. */
export interface Provisioned {
  readonly id: string;
  readonly resource: Resource;
}

/** @param always writes also what has not changed since the last time */
export async function writeToTarget(
  parts: TargetParts,
  { id, resource }: Provisioned,
  { always }: { readonly always: boolean },
): Promise<void> {
  const digest = hash('sha256', JSON.stringify(resource), 'base64url');
  const before = parts.known.get(id);
  if (before?.digest === digest && !always) return;
  await recorded(parts, id, async () => {
    if (parts.job.type === 'SIMULATE') return await foresee(parts, before, resource);
    const written = before
      ? await updateOrCreate(parts, before, resource)
      : await createOrFind(parts, resource);
    if (written)
      parts.known.set(id, { digest, existedBefore: written.existedBefore, targetId: written.targetId });
    return written?.event;
  });
}

export async function removeFromTarget(parts: TargetParts, id: string): Promise<void> {
  const { target, type, known } = parts;
  const correlation = known.get(id);
  if (!correlation) return;
  await recorded(parts, id, async () => {
    const { existedBefore, targetId } = correlation;
    const spared = existedBefore && target.properties['ips.delete.existedbefore.entities'] !== 'true';
    if (parts.job.type === 'SIMULATE') return spared ? undefined : 'deleted';
    if (spared) {
      known.delete(id);
      return undefined;
    }
    const written = target.transformer.writeForJob(
      type,
      'delete',
      {},
      { id: targetId, resolveId: parts.resolveId },
    );
    if (written.kind !== 'entity') throw new Skipped(written.reason);
    const native = written.id ?? targetId;
    for (const group of written.formerGroups) await leave(target, native, group);
    if (Object.keys(written.body).length > 0) {
      // Mappings of scope deleteEntity turn the delete into an update (facts: transformations 5).
      await target.backend.patch(type, native, patchOf(written.body));
    } else await ignoring(404, target.backend.delete(type, native));
    known.delete(id);
    return 'deleted';
  });
}

/** What a job would have done; the target is asked, and nothing is written. */
async function foresee(
  parts: TargetParts,
  before: Correlation | undefined,
  resource: Resource,
): Promise<Event> {
  const targetId = before?.targetId ?? (await findInTarget(parts, resource));
  transformed(parts, targetId === undefined ? 'create' : 'update', resource, targetId);
  return targetId === undefined ? 'created' : 'updated';
}

interface Written {
  readonly event: Event;
  readonly targetId: string;
  readonly existedBefore: boolean;
}

/** The entry that the work earns; a failure is one too. */
async function recorded(
  { target, type, job }: TargetParts,
  entityId: string,
  work: () => Promise<Event | undefined>,
): Promise<void> {
  const entry = { type, system: `${target.name}.target`, entityId };
  try {
    const event = await work();
    if (event) job.entries.push({ ...entry, event });
  } catch (error) {
    if (error instanceof Skipped) job.entries.push({ ...entry, event: 'skipped', reason: error.message });
    else if (error instanceof BackendFailure)
      job.entries.push({ ...entry, event: 'failed', reason: `${error.status}: ${error.answer}` });
    else throw error;
  }
}

class Skipped extends Error {}

async function createOrFind(parts: TargetParts, resource: Resource): Promise<Written> {
  const { target, type } = parts;
  const written = transformed(parts, 'create', resource);
  try {
    const entity = await target.backend.create(type, written.body, written.id);
    const targetId = target.backend.idOf(type, entity);
    await assignGroups(parts, targetId, written.groups);
    return { event: 'created', targetId, existedBefore: false };
  } catch (error) {
    if (!(error instanceof BackendFailure) || error.status !== 409) throw error;
    const targetId = await findInTarget(parts, resource);
    if (targetId === undefined) throw error;
    await update(parts, targetId, resource);
    return { event: 'updated', targetId, existedBefore: true };
  }
}

async function updateOrCreate(parts: TargetParts, before: Correlation, resource: Resource): Promise<Written> {
  try {
    await update(parts, before.targetId, resource);
    return { event: 'updated', targetId: before.targetId, existedBefore: before.existedBefore };
  } catch (error) {
    if (!(error instanceof BackendFailure) || error.status !== 404) throw error;
    return await createOrFind(parts, resource); // someone deleted it in the target
  }
}

async function update(parts: TargetParts, targetId: string, resource: Resource): Promise<void> {
  const { target, type } = parts;
  const written = transformed(parts, 'update', resource, targetId);
  const native = written.id ?? targetId;
  if (updatesByPatch(target)) await target.backend.patch(type, native, patchOf(written.body));
  else await target.backend.replace(type, native, written.body);
  await assignGroups(parts, targetId, written.groups);
}

function transformed(
  { target, type, resolveId }: TargetParts,
  operation: 'create' | 'update',
  resource: Resource,
  id?: string,
): JobWrite & { kind: 'entity' } {
  const context = { resolveId, ...(id !== undefined && { id }) };
  const written = target.transformer.writeForJob(type, operation, resource, context);
  if (written.kind === 'entity') return written;
  if (written.kind === 'dropped') throw new Skipped(written.reason);
  throw new BackendFailure(400, written.reason);
}

/** By `scim.user.unique.attribute` or its like; several attributes mean all of them (facts: IPS 8.1). */
async function findInTarget({ target, type }: TargetParts, resource: Resource): Promise<string | undefined> {
  const suffix = type === 'Users' ? '.user.unique.attribute' : '.group.unique.attribute';
  const property = Object.keys(target.properties).find((name) => name.endsWith(suffix));
  const names = (property && target.properties[property]) || uniqueAttribute[type];
  const [first, ...rest] = names.split(',').map((attribute) => comparisonOf(attribute.trim(), resource));
  if (!first) return undefined;
  const restriction = rest
    .map(({ attribute, value }) => `${attribute} eq ${JSON.stringify(value)}`)
    .join(' and ');
  const { resources } = await target.backend.page(type, {
    startIndex: 1,
    count: 2,
    match: first,
    ...(restriction !== '' && { restriction }),
  });
  const [only] = resources;
  return only && resources.length === 1 ? target.backend.idOf(type, only) : undefined;
}

function comparisonOf(attribute: string, resource: Resource) {
  const steps = attribute.split(/[.[\]]+/).filter((step) => step !== '');
  const value = steps.reduce<unknown>(
    (found, step) => (typeof found === 'object' && found !== null ? Reflect.get(found, step) : undefined),
    resource,
  );
  return { attribute, operator: 'eq' as const, value: typeof value === 'string' ? value : '' };
}

/** The write transformation's variable `assignGroup`; a group that is not there fails the entity. */
async function assignGroups(
  { target }: TargetParts,
  userId: string,
  groups: readonly string[],
): Promise<void> {
  const value = [{ value: userId }];
  for (const group of groups)
    await target.backend.patch(
      'Groups',
      group,
      patchOf({ Operations: [{ op: 'add', path: 'members', value }] }),
    );
}

async function leave({ backend }: System, userId: string, group: string): Promise<void> {
  const path = `members[value eq ${JSON.stringify(userId)}]`;
  await backend.patch('Groups', group, patchOf({ Operations: [{ op: 'remove', path }] }));
}

function patchOf(body: Resource): Resource {
  if ('Operations' in body) return { schemas: [schemas.patchOp], ...body };
  return { schemas: [schemas.patchOp], Operations: [{ op: 'replace', value: body }] };
}

async function ignoring(status: number, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof BackendFailure) || error.status !== status) throw error;
  }
}
