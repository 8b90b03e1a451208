/** The embedded directory behind a system, as if it were a SCIM service provider somewhere else. */
import { scimFilterOf, type Backend, type Page, type PageRequest } from './backend.ts';
import type { Directory } from './directory.ts';
import { parseFilter, type Filter } from './filter.ts';
import { parseAttributePath, type Resource, type ResourceType } from './resource.ts';

export class EmbeddedBackend implements Backend {
  readonly url: string;
  readonly givesTotal: boolean;
  readonly filters: boolean;
  readonly directory: Directory;

  constructor(
    directory: Directory,
    { url, givesTotal, filters }: { url: string; givesTotal: boolean; filters: boolean },
  ) {
    this.directory = directory;
    this.url = url;
    this.givesTotal = givesTotal;
    this.filters = filters;
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
    return this.directory.create(type, resource);
  }

  async replace(type: ResourceType, id: string, resource: Resource): Promise<Resource> {
    return this.directory.replace(type, id, resource);
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
