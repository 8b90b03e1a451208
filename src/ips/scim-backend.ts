/**
 * A connector to any SCIM 2.0 service provider over HTTP(S), configured by SAP's own property names
 * (facts: IPS 8.1).
 */
import { scimFilterOf, type Backend, type Page, type PageRequest } from './backend.ts';
import { HttpConnection } from './http-connection.ts';
import { BackendFailure } from './refusal.ts';
import { idOf, isObject, type Resource, type ResourceType } from './resource.ts';

export interface ScimBackendOptions {
  readonly kind: 'scim';
  /** Whether its `totalResults` is taken for a total. */
  readonly givesTotal?: boolean;
  readonly filters?: boolean;
  /** Idle and whole; 60 s when absent (facts: IPS 15). */
  readonly timeoutMs?: number;
}

export class ScimBackend implements Backend {
  readonly url: string;
  readonly givesTotal: boolean;
  readonly filters: boolean;
  readonly #connection: HttpConnection;

  constructor(properties: Readonly<Record<string, string>>, options: ScimBackendOptions) {
    this.#connection = new HttpConnection(properties, options.timeoutMs);
    this.url = this.#connection.url;
    this.givesTotal = options.givesTotal ?? true;
    this.filters = options.filters ?? true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The connections belong to the process's pool.
  }

  idOf(_type: ResourceType, entity: Resource): string {
    return idOf(entity);
  }

  async page(type: ResourceType, request: PageRequest): Promise<Page> {
    const list = await this.#connection.ask('GET', `/${type}?${searchOf(request)}`);
    const resources: unknown = list['Resources'] ?? [];
    if (!Array.isArray(resources)) throw new BackendFailure(502, 'The list has no Resources.');
    const total = list['totalResults'];
    const found = resources.filter((resource) => isObject(resource));
    return this.givesTotal && typeof total === 'number' ? { resources: found, total } : { resources: found };
  }

  async count(type: ResourceType, request: Pick<PageRequest, 'match' | 'restriction'>): Promise<number> {
    const list = await this.#connection.ask(
      'GET',
      `/${type}?${searchOf({ ...request, startIndex: 1, count: 0 })}`,
    );
    const total = list['totalResults'];
    return typeof total === 'number' ? total : 0;
  }

  get(type: ResourceType, id: string): Promise<Resource> {
    return this.#connection.ask('GET', pathOf(type, id));
  }

  create(type: ResourceType, resource: Resource): Promise<Resource> {
    return this.#connection.ask('POST', `/${type}`, resource);
  }

  async replace(type: ResourceType, id: string, resource: Resource): Promise<Resource> {
    const replaced = await this.#connection.ask('PUT', pathOf(type, id), resource);
    return 'id' in replaced ? replaced : await this.get(type, id); // some answer 204
  }

  async patch(type: ResourceType, id: string, patch: unknown): Promise<void> {
    await this.#connection.ask('PATCH', pathOf(type, id), isObject(patch) ? patch : {});
  }

  async delete(type: ResourceType, id: string): Promise<void> {
    await this.#connection.ask('DELETE', pathOf(type, id));
  }
}

function pathOf(type: ResourceType, id: string): string {
  return `/${type}/${encodeURIComponent(id)}`;
}

function searchOf(request: PageRequest): string {
  const { match, ...rest } = request;
  // `emails[0]` is IPS's own form; a SCIM provider knows `emails.value` only.
  const plain = match && { ...match, attribute: match.attribute.replace('[0]', '') };
  const filter = scimFilterOf({ ...rest, ...(plain && { match: plain }) });
  const query = new URLSearchParams({
    startIndex: String(request.startIndex),
    count: String(request.count),
    ...(filter !== undefined && { filter }),
  });
  return query.toString();
}
