/**
 * A connector to any SCIM 2.0 service provider over HTTP(S), configured by SAP's own property names
 * (facts: IPS 8.1). Whatever it answers beyond 2xx is the backend's failure, quoted as it came.
 */
import { scimMediaType } from '../scim/message.ts';
import { scimFilterOf, type Backend, type Page, type PageRequest } from './backend.ts';
import { BackendFailure, BackendTimeout } from './refusal.ts';
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
  readonly #headers: Readonly<Record<string, string>>;
  readonly #contentType: string;
  readonly #timeoutMs: number;

  constructor(properties: Readonly<Record<string, string>>, options: ScimBackendOptions) {
    const url = properties['URL'];
    if (url === undefined) throw new Error('a SCIM backend needs the property URL');
    this.url = url.replace(/\/+$/, '');
    this.givesTotal = options.givesTotal ?? true;
    this.filters = options.filters ?? true;
    this.#contentType = properties['scim.content.type'] ?? scimMediaType;
    this.#headers = headersOf(properties);
    this.#timeoutMs = options.timeoutMs ?? 60_000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The connections belong to the process's pool.
  }

  idOf(_type: ResourceType, entity: Resource): string {
    return idOf(entity);
  }

  async page(type: ResourceType, request: PageRequest): Promise<Page> {
    const list = await this.#ask('GET', `/${type}?${searchOf(request)}`);
    const resources: unknown = list['Resources'] ?? [];
    if (!Array.isArray(resources)) throw new BackendFailure(502, 'The list has no Resources.');
    const total = list['totalResults'];
    const found = resources.filter((resource) => isObject(resource));
    return this.givesTotal && typeof total === 'number' ? { resources: found, total } : { resources: found };
  }

  async count(type: ResourceType, request: Pick<PageRequest, 'match' | 'restriction'>): Promise<number> {
    const list = await this.#ask('GET', `/${type}?${searchOf({ ...request, startIndex: 1, count: 0 })}`);
    const total = list['totalResults'];
    return typeof total === 'number' ? total : 0;
  }

  get(type: ResourceType, id: string): Promise<Resource> {
    return this.#ask('GET', pathOf(type, id));
  }

  create(type: ResourceType, resource: Resource): Promise<Resource> {
    return this.#ask('POST', `/${type}`, resource);
  }

  async replace(type: ResourceType, id: string, resource: Resource): Promise<Resource> {
    const replaced = await this.#ask('PUT', pathOf(type, id), resource);
    return 'id' in replaced ? replaced : await this.get(type, id); // some answer 204
  }

  async patch(type: ResourceType, id: string, patch: unknown): Promise<void> {
    await this.#ask('PATCH', pathOf(type, id), isObject(patch) ? patch : {});
  }

  async delete(type: ResourceType, id: string): Promise<void> {
    await this.#ask('DELETE', pathOf(type, id));
  }

  async #ask(method: string, path: string, body?: Resource): Promise<Resource> {
    const response = await this.#send(method, path, body);
    const text = await response.text();
    if (!response.ok) throw new BackendFailure(response.status, text);
    if (text === '') return {};
    try {
      const value: unknown = JSON.parse(text);
      if (isObject(value)) return value;
    } catch {
      // A page for people instead of JSON: told below like any other answer that is no resource.
    }
    throw new BackendFailure(502, text.slice(0, 1000));
  }

  async #send(method: string, path: string, body?: Resource): Promise<Response> {
    try {
      return await fetch(this.url + path, {
        method,
        redirect: 'manual',
        signal: AbortSignal.timeout(this.#timeoutMs),
        headers: {
          accept: scimMediaType,
          ...this.#headers,
          ...(body && { 'content-type': this.#contentType }),
        },
        ...(body && { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      if (cause instanceof DOMException && cause.name === 'TimeoutError') throw new BackendTimeout();
      throw new BackendFailure(502, 'The backend cannot be reached.');
    }
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

function headersOf(properties: Readonly<Record<string, string>>): Record<string, string> {
  const prefix = 'ips.http.header.';
  const extra = Object.entries(properties)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, value]) => [name.slice(prefix.length).toLowerCase(), value]);
  const { Authentication: authentication, User: user = '', Password: password = '' } = properties;
  const credential = Buffer.from(`${user}:${password}`).toString('base64');
  return {
    ...Object.fromEntries(extra),
    ...(properties['scim.include.if.match.wildcard.header'] === 'true' && { 'if-match': '*' }),
    ...(authentication === 'BasicAuthentication' && { authorization: `Basic ${credential}` }),
  };
}
