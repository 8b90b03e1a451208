/**
 * What stands between the proxy interface and a backend: the read and the write transformation of a system.
 * This file has the contract and the system without transformations, which hands everything through.
 */
import type { ResolveId } from '../transformation/function-kind.ts';
import type { Comparison } from './backend.ts';
import { attributeOf, idOf, isObject, type Resource, type ResourceType } from './resource.ts';

export type WriteOperation = 'create' | 'replace' | 'patch' | 'delete';

export type ReadOutcome =
  | { readonly kind: 'resource'; readonly resource: Resource }
  /** The entity's condition is not met. */
  | { readonly kind: 'dropped'; readonly reason: string }
  /** The transformation cannot build the entity. */
  | { readonly kind: 'failed'; readonly reason: string };

export type WriteOutcome =
  | {
      readonly kind: 'entity';
      readonly body: Resource;
      /** The backend's own id; absent while there is none. */
      readonly id?: string;
    }
  | { readonly kind: 'dropped'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

export type JobRead =
  | { readonly kind: 'resource'; readonly id: string; readonly resource: Resource }
  | { readonly kind: 'dropped' | 'failed'; readonly id: string; readonly reason: string };

export type JobWrite =
  | {
      readonly kind: 'entity';
      readonly body: Resource;
      readonly id?: string;
      /** The groups of the target that the entity becomes a member of (variable `assignGroup`). */
      readonly groups: readonly string[];
      /** Those that it is taken out of (variable `unassignGroup`). */
      readonly formerGroups: readonly string[];
    }
  | { readonly kind: 'dropped' | 'failed'; readonly reason: string };

export interface JobContext {
  /** The id in the target; absent on create. */
  readonly id?: string;
  readonly resolveId: ResolveId;
}

export interface Transformer {
  /** Whether the system knows the type at all. */
  supports(type: ResourceType): boolean;
  hasReadCondition(type: ResourceType): boolean;
  /** A caller's comparison in the backend's names; undefined when no mapping leads there (facts: IPS 3.3). */
  translate(type: ResourceType, comparison: Comparison): Comparison | undefined;
  /** @param base the tenant's address of the type's entities, ending in a slash */
  read(type: ResourceType, entity: Resource, base: string): ReadOutcome;
  write(type: ResourceType, operation: WriteOperation, body: Resource, id?: string): WriteOutcome;
  /** An entity of a source system on its way to targets, with its id in the source. */
  readForJob(type: ResourceType, entity: Resource): JobRead;
  writeForJob(
    type: ResourceType,
    operation: 'create' | 'update' | 'delete',
    resource: Resource,
    context: JobContext,
  ): JobWrite;
  /** The backend's id behind the id that callers know; they differ where the read transformation encodes it. */
  nativeId(type: ResourceType, id: string): string;
}

export class PassThrough implements Transformer {
  readonly #backendUrl: string;

  constructor(backendUrl: string) {
    this.#backendUrl = backendUrl;
  }

  supports(): boolean {
    return true;
  }

  hasReadCondition(): boolean {
    return false;
  }

  translate(_type: ResourceType, comparison: Comparison): Comparison {
    return comparison;
  }

  read(_type: ResourceType, entity: Resource, base: string): ReadOutcome {
    const systemBase = base.replace(/\/[^/]+\/$/, '');
    const id = String(entity['id']);
    const meta = attributeOf(entity, 'meta');
    const moved = relocate(entity, this.#backendUrl, systemBase);
    const resource = {
      ...(isObject(moved) && moved),
      meta: { ...(isObject(meta) && meta), location: base + encodeURIComponent(id) },
    };
    return { kind: 'resource', resource };
  }

  write(_type: ResourceType, _operation: WriteOperation, body: Resource, id?: string): WriteOutcome {
    return { kind: 'entity', body, ...(id !== undefined && { id }) };
  }

  readForJob(_type: ResourceType, entity: Resource): JobRead {
    // What the backend says about itself (its id, times and mirrors) is no property of the entity elsewhere.
    const { id: _id, meta: _meta, groups: _groups, ...resource } = entity;
    return { kind: 'resource', id: idOf(entity), resource };
  }

  writeForJob(
    type: ResourceType,
    operation: string,
    resource: Resource,
    { id, resolveId }: JobContext,
  ): JobWrite {
    const native = id !== undefined && { id };
    const unassigned = { groups: [], formerGroups: [] };
    if (operation === 'delete') return { kind: 'entity', body: {}, ...unassigned, ...native };
    const members: unknown = resource['members'];
    if (type === 'Users' || !Array.isArray(members))
      return { kind: 'entity', body: resource, ...unassigned, ...native };
    const resolved = members
      .filter((member) => isObject(member))
      .map(({ value, type: kind }) =>
        resolveId({ id: String(value), entityType: kind === 'Group' ? 'group' : 'user' }),
      )
      .filter((value) => value !== undefined)
      .map((value) => ({ value }));
    return { kind: 'entity', body: { ...resource, members: resolved }, ...unassigned, ...native };
  }

  nativeId(_type: ResourceType, id: string): string {
    return id;
  }
}

/** Rewrites every `$ref` below the backend's address to the tenant's. */
function relocate(value: unknown, from: string, to: string): unknown {
  if (Array.isArray(value)) return value.map((element) => relocate(element, from, to));
  if (!isObject(value)) return value;
  const moved: Record<string, unknown> = {};
  for (const [key, part] of Object.entries(value))
    moved[key] =
      key === '$ref' && typeof part === 'string' && part.startsWith(`${from}/`)
        ? to + part.slice(from.length)
        : relocate(part, from, to);
  return moved;
}
