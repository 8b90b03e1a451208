/** The embedded directory behind a system, as if it were a SCIM service provider somewhere else. */
import { randomUUID } from 'node:crypto';

import { scimFilterOf, type Backend, type Page, type PageRequest } from './backend.ts';
import type { Directory } from './directory.ts';
import { parseFilter, type Filter } from './filter.ts';
import {
  attributeOf,
  idOf,
  isObject,
  parseAttributePath,
  type AttributePath,
  type MutableResource,
  type Resource,
  type ResourceType,
} from './resource.ts';

export interface EmbeddedTraits {
  readonly url: string;
  readonly givesTotal: boolean;
  readonly filters: boolean;
  /** Attributes that the backend gives a new resource itself, such as a `userUuid`. */
  readonly assigns?: readonly string[] | undefined;
  /** Attributes that an update cannot take away, like those assigned. */
  readonly keeps?: readonly string[] | undefined;
}

export class EmbeddedBackend implements Backend {
  readonly url: string;
  readonly givesTotal: boolean;
  readonly filters: boolean;
  readonly directory: Directory;
  readonly #assigned: readonly AttributePath[];
  readonly #kept: readonly AttributePath[];

  constructor(directory: Directory, { url, givesTotal, filters, assigns = [], keeps = [] }: EmbeddedTraits) {
    this.directory = directory;
    this.url = url;
    this.givesTotal = givesTotal;
    this.filters = filters;
    this.#assigned = assigns.map(parseAttributePath);
    this.#kept = [...assigns, ...keeps].map(parseAttributePath);
  }

  idOf(_type: ResourceType, entity: Resource): string {
    return idOf(entity);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.directory[Symbol.dispose]();
  }

  async page(type: ResourceType, request: PageRequest): Promise<Page> {
    const { resources, total } = this.directory.list(
      type,
      request.startIndex,
      request.count,
      filterOf(request),
    );
    return this.givesTotal ? { resources, total } : { resources };
  }

  async count(type: ResourceType, request: Pick<PageRequest, 'match' | 'restriction'>): Promise<number> {
    return this.directory.count(type, filterOf(request));
  }

  async get(type: ResourceType, id: string): Promise<Resource> {
    return this.directory.get(type, id);
  }

  async create(type: ResourceType, resource: Resource): Promise<Resource> {
    const made = structuredClone(resource);
    for (const path of this.#assigned) fillAt(made, path, randomUUID());
    return this.directory.create(type, made);
  }

  async replace(type: ResourceType, id: string, resource: Resource): Promise<Resource> {
    if (this.#kept.length === 0) return this.directory.replace(type, id, resource);
    const before = this.directory.get(type, id);
    const kept = structuredClone(resource);
    for (const path of this.#kept) fillAt(kept, path, valueAt(before, path));
    return this.directory.replace(type, id, kept);
  }

  async patch(type: ResourceType, id: string, patch: unknown): Promise<void> {
    this.directory.patch(type, id, patch);
  }

  async delete(type: ResourceType, id: string): Promise<void> {
    this.directory.delete(type, id);
  }
}

function filterOf({ match, restriction }: Pick<PageRequest, 'match' | 'restriction'>): Filter | undefined {
  const restricted = scimFilterOf(restriction === undefined ? {} : { restriction });
  const left = restricted === undefined ? undefined : parseFilter(restricted);
  if (!match) return left;
  const { attribute, operator, value } = match;
  const right: Filter = { kind: 'compare', path: parseAttributePath(attribute), operator, value };
  return left ? { kind: 'and', left, right } : right;
}

function valueAt(resource: Resource, { urn, names }: AttributePath): unknown {
  return [...(urn === undefined ? [] : [urn]), ...names].reduce<unknown>(
    (value, name) => (isObject(value) ? attributeOf(value, name) : undefined),
    resource,
  );
}

/** Sets what is absent; the way to it is made. */
function fillAt(resource: MutableResource, { urn, names }: AttributePath, value: unknown): void {
  const way = [...(urn === undefined ? [] : [urn]), ...names];
  const last = way.pop();
  if (value === undefined || last === undefined) return;
  let holder = resource;
  for (const name of way) {
    const next = holder[name];
    const below: MutableResource = isObject(next) ? next : {};
    holder[name] = below;
    holder = below;
  }
  holder[last] ??= value;
}
