/**
 * A connector to an HTTP interface that is no SCIM: it pages by a token, knows no total and no filter, as many
 * do. A caller's `startIndex` is reached by walking, from the nearest page that is known.
 */
import type { Backend, Page, PageRequest } from './backend.ts';
import { HttpConnection } from './http-connection.ts';
import { BackendFailure } from './refusal.ts';
import { attributeOf, isObject, type Resource, type ResourceType } from './resource.ts';

export interface TokenPagesOptions {
  readonly kind: 'token-pages';
  readonly timeoutMs?: number;
  /** Below the property URL. */
  readonly paths: Readonly<Record<ResourceType, string>>;
  /** The attribute of an entity that is its id. */
  readonly key: string;
  /** Where a page has its entities and the token of the next one. */
  readonly items: string;
  readonly next: string;
  /** The query parameters that carry the token and the page's size. */
  readonly tokenParameter: string;
  readonly sizeParameter: string;
}

const nativePageSize = 100;
const mostTokens = 2000;

export class TokenPagesBackend implements Backend {
  readonly url: string;
  readonly givesTotal = false;
  readonly filters = false;
  readonly #options: TokenPagesOptions;
  readonly #connection: HttpConnection;
  /** Type and position → the token of the page that begins there. */
  readonly #tokens = new Map<string, string>();

  constructor(properties: Readonly<Record<string, string>>, options: TokenPagesOptions) {
    this.#connection = new HttpConnection(properties, options.timeoutMs);
    this.url = this.#connection.url;
    this.#options = options;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // The connections belong to the process's pool.
  }

  idOf(_type: ResourceType, entity: Resource): string {
    const id = attributeOf(entity, this.#options.key);
    return typeof id === 'string' || typeof id === 'number' ? String(id) : '';
  }

  async page(type: ResourceType, { startIndex, count }: PageRequest): Promise<Page> {
    const resources: Resource[] = [];
    const wanted = startIndex - 1;
    for await (const { position, items } of this.#pagesFrom(type, wanted)) {
      resources.push(...items.slice(Math.max(0, wanted - position)));
      if (resources.length >= count) break;
    }
    return { resources: resources.slice(0, count) };
  }

  async count(type: ResourceType): Promise<number> {
    let last = 0;
    for await (const { position, items } of this.#pagesFrom(type, Infinity)) last = position + items.length;
    return last;
  }

  get(type: ResourceType, id: string): Promise<Resource> {
    return this.#connection.ask('GET', this.#pathOf(type, id));
  }

  create(type: ResourceType, resource: Resource): Promise<Resource> {
    return this.#connection.ask('POST', this.#options.paths[type], resource);
  }

  async replace(type: ResourceType, id: string, resource: Resource): Promise<Resource> {
    const replaced = await this.#connection.ask('PUT', this.#pathOf(type, id), resource);
    return this.idOf(type, replaced) === '' ? await this.get(type, id) : replaced;
  }

  async patch(type: ResourceType, id: string, patch: unknown): Promise<void> {
    await this.#connection.ask('PATCH', this.#pathOf(type, id), isObject(patch) ? patch : {});
  }

  async delete(type: ResourceType, id: string): Promise<void> {
    await this.#connection.ask('DELETE', this.#pathOf(type, id));
  }

  #pathOf(type: ResourceType, id: string): string {
    return `${this.#options.paths[type]}/${encodeURIComponent(id)}`;
  }

  /** The pages from the one that holds `wanted` on; those before are passed through only where no token is known. */
  async *#pagesFrom(
    type: ResourceType,
    wanted: number,
  ): AsyncGenerator<{ position: number; items: Resource[] }> {
    let { position, token } = this.#nearest(type, wanted);
    for (;;) {
      const { items, next } = await this.#nativePage(type, token);
      if (position + items.length > wanted || next === undefined) yield { position, items };
      if (next === undefined || items.length === 0) return;
      position += items.length;
      token = next;
      this.#remember(`${type} ${position}`, next);
    }
  }

  #nearest(type: ResourceType, wanted: number): { position: number; token: string | undefined } {
    const known = [...this.#tokens.keys()]
      .filter((key) => key.startsWith(`${type} `))
      .map((key) => Number(key.slice(type.length + 1)))
      .filter((position) => position <= wanted);
    const position = Math.max(0, ...known);
    return { position, token: this.#tokens.get(`${type} ${position}`) };
  }

  #remember(key: string, token: string): void {
    const [oldest] = this.#tokens.keys();
    if (this.#tokens.size >= mostTokens && oldest !== undefined) this.#tokens.delete(oldest);
    this.#tokens.set(key, token);
  }

  async #nativePage(
    type: ResourceType,
    token: string | undefined,
  ): Promise<{ items: Resource[]; next: string | undefined }> {
    const { paths, items, next, tokenParameter, sizeParameter } = this.#options;
    const query = new URLSearchParams({
      [sizeParameter]: String(nativePageSize),
      ...(token !== undefined && { [tokenParameter]: token }),
    });
    const page = await this.#connection.ask('GET', `${paths[type]}?${query.toString()}`);
    const found = page[items];
    if (!Array.isArray(found)) throw new BackendFailure(502, `The page has no ${items}.`);
    const following = page[next];
    return {
      items: found.filter((entity) => isObject(entity)),
      next: typeof following === 'string' && following !== '' ? following : undefined,
    };
  }
}
