/**
 * A backend that is no SCIM provider: it keeps documents in its own names, keyed by an attribute of theirs, as
 * ABAP systems and directories do. Only transformations can make resources of them.
 */
import { randomUUID } from 'node:crypto';

import type { Backend, Comparison, Page, PageRequest } from './backend.ts';
import { matches, parseFilter, type Filter } from './filter.ts';
import { viewOf, type View } from './native-view.ts';
import { applyPatch } from './patch.ts';
import { scimFailure } from './refusal.ts';
import {
  isObject,
  parseAttributePath,
  type MutableResource,
  type Resource,
  type ResourceType,
} from './resource.ts';

/** How the documents of one type are built. */
export interface NativeShape {
  /** The attribute that is the key; its value is part of every document. */
  readonly key: string;
  /** The backend makes up the key of a new document that has none. */
  readonly generates?: boolean;
  /** Where a membership stands on this side, such as `USERLIST` with `USERNAME` in each element. */
  readonly link?: { readonly list: string; readonly value: string };
  /** Mappings from what is kept to what is shown, where these differ. */
  readonly shows?: readonly Resource[];
}

export interface NativeOptions {
  readonly url: string;
  readonly givesTotal: boolean;
  readonly filters: boolean;
  readonly shapes: Readonly<Record<ResourceType, NativeShape>>;
  /** What an update does to attributes that it does not name. */
  readonly update: 'merge' | 'replace';
  readonly users: readonly Resource[];
  readonly groups: readonly Resource[];
}

export class NativeBackend implements Backend {
  readonly url: string;
  readonly givesTotal: boolean;
  readonly filters: boolean;
  readonly #shapes: NativeOptions['shapes'];
  readonly #update: NativeOptions['update'];
  readonly #views: Readonly<Record<ResourceType, View>>;
  /** As they are kept. */
  readonly #documents: Readonly<Record<ResourceType, Map<string, Resource>>>;

  constructor({ url, givesTotal, filters, shapes, update, users, groups }: NativeOptions) {
    this.url = url;
    this.givesTotal = givesTotal;
    this.filters = filters;
    this.#shapes = shapes;
    this.#update = update;
    this.#views = { Users: viewOf(shapes.Users.shows), Groups: viewOf(shapes.Groups.shows) };
    const keyed = (type: ResourceType, documents: readonly Resource[]) =>
      new Map(documents.map((document) => [keyIn(document, shapes[type]) ?? '', document]));
    this.#documents = { Users: keyed('Users', users), Groups: keyed('Groups', groups) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is open: the documents are in memory.
  }

  idOf(type: ResourceType, entity: Resource): string {
    return keyIn(entity, this.#shapes[type]) ?? '';
  }

  async page(type: ResourceType, request: PageRequest): Promise<Page> {
    const found = this.#found(type, request);
    const resources = found
      .drop(request.startIndex - 1)
      .take(request.count)
      .toArray();
    return this.givesTotal ? { resources, total: await this.count(type, request) } : { resources };
  }

  async count(type: ResourceType, request: Pick<PageRequest, 'match' | 'restriction'>): Promise<number> {
    return this.#found(type, request).reduce((sum) => sum + 1, 0);
  }

  async get(type: ResourceType, id: string): Promise<Resource> {
    return this.#views[type](this.#kept(type, id));
  }

  #kept(type: ResourceType, id: string): Resource {
    const document = this.#documents[type].get(id);
    if (!document) throw scimFailure(404, `${this.#shapes[type].key} ${id} does not exist.`);
    return document;
  }

  async create(type: ResourceType, resource: Resource, id?: string): Promise<Resource> {
    const { key, generates } = this.#shapes[type];
    const value = id ?? keyIn(resource, this.#shapes[type]) ?? (generates ? randomUUID() : undefined);
    if (!value) throw scimFailure(400, `${key} is required.`, 'invalidValue');
    if (this.#documents[type].has(value)) throw scimFailure(409, `${key} already exists.`, 'uniqueness');
    return this.#keep(type, value, { ...resource });
  }

  async replace(type: ResourceType, id: string, resource: Resource): Promise<Resource> {
    const before = this.#kept(type, id);
    return this.#keep(type, id, this.#update === 'merge' ? merge(before, resource) : { ...resource });
  }

  async patch(type: ResourceType, id: string, patch: unknown): Promise<void> {
    this.#keep(type, id, { ...applyPatch(this.#kept(type, id), patch) });
  }

  async delete(type: ResourceType, id: string): Promise<void> {
    this.#kept(type, id);
    this.#setLinks(type, id, []);
    this.#documents[type].delete(id);
  }

  #keep(type: ResourceType, id: string, document: MutableResource): Resource {
    const { key, link } = this.#shapes[type];
    const present = keyIn(document, this.#shapes[type]);
    if (present === undefined) setAt(document, key, id);
    if (link && Array.isArray(document[link.list]))
      this.#setLinks(type, id, linked(document, this.#shapes[type]));
    this.#documents[type].set(id, document);
    return this.#views[type](document);
  }

  /** Keeps the other side of memberships in step, as real backends do. */
  #setLinks(type: ResourceType, id: string, wanted: readonly string[]): void {
    const other = type === 'Users' ? 'Groups' : 'Users';
    const { link } = this.#shapes[other];
    if (!link || !this.#shapes[type].link) return;
    for (const [otherId, document] of this.#documents[other]) {
      const values = linked(document, this.#shapes[other]);
      if (values.includes(id) === wanted.includes(otherId)) continue;
      const before = document[link.list];
      const elements: readonly unknown[] = Array.isArray(before) ? before : [];
      const left = elements.filter((element) => !isObject(element) || element[link.value] !== id);
      const after = wanted.includes(otherId) ? [...left, { [link.value]: id }] : left;
      this.#documents[other].set(otherId, { ...document, [link.list]: after });
    }
  }

  #found(
    type: ResourceType,
    { match, restriction }: Pick<PageRequest, 'match' | 'restriction'>,
  ): IteratorObject<Resource> {
    const filters = [
      ...(match ? [filterOf(match)] : []),
      ...(restriction === undefined ? [] : [parseFilter(restriction)]),
    ];
    return this.#documents[type]
      .values()
      .map(this.#views[type])
      .filter((document) => filters.every((filter) => matches(filter, document)));
  }
}

function filterOf({ attribute, operator, value }: Comparison): Filter {
  return { kind: 'compare', path: parseAttributePath(attribute), operator, value };
}

/** Directories keep even single values as arrays, so a key may end in `[0]`. */
function keyIn(document: Resource, { key }: NativeShape): string | undefined {
  const [, name = key, first] = /^(.+?)(\[0\])?$/.exec(key) ?? [];
  const value = document[name];
  const chosen: unknown = first && Array.isArray(value) ? value[0] : value;
  return typeof chosen === 'string' || typeof chosen === 'number' ? String(chosen) : undefined;
}

function setAt(document: MutableResource, key: string, id: string): void {
  if (key.endsWith('[0]')) document[key.slice(0, -3)] = [id];
  else document[key] = id;
}

function linked(document: Resource, { link }: NativeShape): string[] {
  const elements = link && document[link.list];
  if (!link || !Array.isArray(elements)) return [];
  return elements.flatMap((element) => {
    const value = isObject(element) ? element[link.value] : undefined;
    return typeof value === 'string' ? [value] : [];
  });
}

function merge(before: Resource, change: Resource): MutableResource {
  const merged: MutableResource = { ...before };
  for (const [name, value] of Object.entries(change)) {
    const old = merged[name];
    merged[name] = isObject(old) && isObject(value) ? merge(old, value) : value;
  }
  return merged;
}
