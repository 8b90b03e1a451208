/**
 * The tenant's own SCIM interface, `/scim`: a whole RFC 7644 service provider on an embedded directory, as the
 * Identity Directory is one (facts: IPS 1.6). Unlike the proxy interface it keeps to the standard: the whole
 * filter grammar, entity tags, and errors whose `status` is a string.
 */
import { isScimMedia } from '../scim/message.ts';
import {
  listResponse,
  methodNotAllowed,
  nothing,
  readJson,
  scimAnswer,
  type Answer,
  type Ask,
} from './answer.ts';
import type { Directory } from './directory.ts';
import { discover, discoveryNames } from './discovery.ts';
import { parseFilter } from './filter.ts';
import { BackendFailure, Refusal, scimFailure } from './refusal.ts';
import { names, versioned, versionOf } from './resource-version.ts';
import { attributeOf, resourceTypes, type Resource, type ResourceType } from './resource.ts';
import { readSelection } from './selection.ts';

const pageSize = 100;

export interface DirectoryApiParts {
  readonly directory: Directory;
  /** The interface's own address. */
  readonly base: () => string;
}

export class DirectoryApi {
  readonly #parts: DirectoryApiParts;

  constructor(parts: DirectoryApiParts) {
    this.#parts = parts;
  }

  /** @param below the path's segments behind `/scim` */
  async answer(ask: Ask, below: readonly string[]): Promise<Answer> {
    try {
      return this.#answer(ask, below);
    } catch (error) {
      if (error instanceof BackendFailure) return { ...scimAnswer(error.status, {}), body: error.answer };
      throw error;
    }
  }

  #answer(ask: Ask, [name = '', id, ...more]: readonly string[]): Answer {
    const document = discoveryNames.find((known) => known === name);
    if (document && id === undefined && ask.method === 'GET')
      return discover(document, this.#parts.base(), true);
    const type = resourceTypes.find((known) => known === name);
    if (!type || more.length > 0) throw scimFailure(404, 'There is no such endpoint.');
    if (id === '.search' && ask.method === 'POST') return this.#list(type, searchOf(readJson(ask)));
    return id === undefined ? this.#collection(ask, type) : this.#one(ask, type, id);
  }

  #collection(ask: Ask, type: ResourceType): Answer {
    if (ask.method === 'GET') return this.#list(type, ask.query);
    if (ask.method !== 'POST') throw methodNotAllowed('GET', 'POST');
    const created = this.#at(this.#parts.directory.create(type, bodyOf(ask)));
    const answer = resourceAnswer(201, created);
    return { ...answer, headers: { ...answer.headers, location: this.#location(type, created) } };
  }

  #one(ask: Ask, type: ResourceType, id: string): Answer {
    const { directory } = this.#parts;
    const current = this.#at(directory.get(type, id));
    const { 'if-match': expected, 'if-none-match': known } = ask.headers;
    if (ask.method === 'GET') {
      const etag = versionOf(current);
      if (known !== undefined && names(known, etag)) return { status: 304, headers: { etag }, body: '' };
      return resourceAnswer(200, current, readSelection(ask.query));
    }
    if (expected !== undefined && !names(expected, versionOf(current)))
      throw scimFailure(412, 'The resource has changed.');
    if (ask.method === 'PUT') return resourceAnswer(200, this.#at(directory.replace(type, id, bodyOf(ask))));
    if (ask.method === 'PATCH') return resourceAnswer(200, this.#at(directory.patch(type, id, bodyOf(ask))));
    if (ask.method !== 'DELETE') throw methodNotAllowed('GET', 'PUT', 'PATCH', 'DELETE');
    directory.delete(type, id);
    return nothing;
  }

  /** RFC 7644 §3.4.2: a count below zero is zero, a startIndex below one is one. */
  #list(type: ResourceType, query: URLSearchParams): Answer {
    const text = query.get('filter');
    const filter = text === null || text === '' ? undefined : parseFilter(text);
    const startIndex = Math.max(1, integerOf(query, 'startIndex') ?? 1);
    const count = Math.min(pageSize, Math.max(0, integerOf(query, 'count') ?? pageSize));
    const select = readSelection(query);
    const { resources, total } = this.#parts.directory.list(type, startIndex, count, filter);
    const shown = resources.map((resource) => select(versioned(this.#at(resource))));
    return listResponse(startIndex, shown.length, total, shown);
  }

  /** The directory may name another address; callers of this interface see this one. */
  #at(resource: Resource): Resource {
    const text = JSON.stringify(resource).replaceAll(
      `"${this.#parts.directory.url}/`,
      `"${this.#parts.base()}/`,
    );
    return JSON.parse(text);
  }

  #location(type: ResourceType, resource: Resource): string {
    return `${this.#parts.base()}/${type}/${encodeURIComponent(String(resource['id']))}`;
  }
}

function resourceAnswer(status: number, resource: Resource, select = (all: Resource) => all): Answer {
  return scimAnswer(status, select(versioned(resource)), { etag: versionOf(resource) });
}

function bodyOf(ask: Ask): Resource {
  if (!isScimMedia(ask.headers['content-type'])) throw new Refusal(415, 'The media type is not supported.');
  return readJson(ask);
}

/** A SearchRequest (RFC 7644 §3.4.3) says the same as a query. */
function searchOf(body: Resource): URLSearchParams {
  const query = new URLSearchParams();
  for (const name of ['filter', 'startIndex', 'count', 'attributes', 'excludedAttributes']) {
    const value = attributeOf(body, name);
    if (Array.isArray(value)) query.set(name, value.join(','));
    else if (typeof value === 'string' || typeof value === 'number') query.set(name, String(value));
  }
  return query;
}

function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^-?\d{1,9}$/.test(text)) throw scimFailure(400, `${name} is no integer.`, 'invalidValue');
  return Number(text);
}
