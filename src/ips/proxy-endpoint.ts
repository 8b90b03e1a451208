/**
 * The resources of one type of one proxy system, for the time of one call: each method is the row of facts:
 * transformations 9 that its name says. It remembers nothing: every read asks the backend.
 */
import { isScimMedia, scimMediaType } from '../scim/message.ts';
import { listResponse, nothing, readJson, scimAnswer, type Answer, type Ask } from './answer.ts';
import type { Assumptions } from './assumptions.ts';
import type { Comparison } from './backend.ts';
import { readCallerFilter } from './caller-filter.ts';
import { readWindow, totalResults } from './paging.ts';
import { checkSpellings } from './patch-spellings.ts';
import { attempt, Refusal, type Attempt } from './refusal.ts';
import { names, versioned, versionOf } from './resource-version.ts';
import { attributeOf, isObject, type Resource, type ResourceType } from './resource.ts';
import { readMembersType, readSelection, type Selection } from './selection.ts';
import {
  knowsMembersType,
  patchTellsResource,
  restrictionOf,
  totalsStrategy,
  type System,
} from './system.ts';
import type { WriteOperation } from './transformer.ts';

export interface ProxyParts {
  readonly systems: ReadonlyMap<string, System>;
  readonly assumptions: Assumptions;
  /** The tenant's own address, known once it listens. */
  readonly address: () => string;
  readonly warn: (message: string) => void;
}

export class ProxyEndpoint {
  readonly #system: System;
  readonly #type: ResourceType;
  readonly #parts: ProxyParts;

  constructor(system: System, type: ResourceType, parts: ProxyParts) {
    this.#system = system;
    this.#type = type;
    this.#parts = parts;
  }

  async list(ask: Ask): Promise<Answer> {
    const { assumptions } = this.#parts;
    const window = readWindow(ask.query, assumptions);
    const select = this.#selection(ask.query);
    const asked = readCallerFilter(ask.query, assumptions.unsupportedFilter);
    const match = asked && this.#translate(asked);
    if (match?.operator === 'eq') return await this.#find(window.startIndex, match, select);
    const restriction = restrictionOf(this.#system, this.#type);
    const search = { ...(match && { match }), ...(restriction !== undefined && { restriction }) };
    const { backend, transformer } = this.#system;
    const page = await this.#try('read', '', () => backend.page(this.#type, { ...window, ...search }));
    const total = await totalResults(
      {
        window,
        read: page.resources.length,
        total: page.total,
        hasCondition: transformer.hasReadCondition(this.#type),
        strategy: totalsStrategy(this.#system),
        countAll: () => this.#try('read', '', () => backend.count(this.#type, search)),
      },
      assumptions.totals,
    );
    const passed = page.resources.flatMap((entity) => this.#readForList(entity)).map(select);
    return listResponse(window.startIndex, page.resources.length, total, passed);
  }

  /** The single-entity filter: none, one, or a refusal because there are several (facts: IPS 3.3). */
  async #find(startIndex: number, match: Comparison, select: Selection): Promise<Answer> {
    const restriction = restrictionOf(this.#system, this.#type);
    const request = { startIndex: 1, count: 2, match, ...(restriction !== undefined && { restriction }) };
    const { resources } = await this.#try('read', '', () => this.#system.backend.page(this.#type, request));
    if (resources.length > 1) throw this.#tooMany();
    const passed = resources.flatMap((entity) => this.#readForList(entity)).map(select);
    return listResponse(startIndex, resources.length, resources.length, passed);
  }

  #tooMany(): Refusal {
    const detail = 'tooMany: more than one entity matches the filter.';
    return this.#parts.assumptions.tooMany === 'scimType'
      ? new Refusal(400, detail, { scimType: 'tooMany' })
      : new Refusal(400, detail);
  }

  #translate(asked: Comparison): Comparison {
    const { transformer, backend } = this.#system;
    const native = backend.filters ? transformer.translate(this.#type, asked) : undefined;
    if (native) return native;
    throw new Refusal(400, 'The system cannot filter by this attribute.', { scimType: 'invalidFilter' });
  }

  async get(ask: Ask, id: string): Promise<Answer> {
    const select = this.#selection(ask.query);
    const entity = await this.#try('read', id, () =>
      this.#system.backend.get(this.#type, this.#system.transformer.nativeId(this.#type, id)),
    );
    const outcome = this.#read(entity);
    if (outcome.kind === 'resource') return this.#resourceAnswer(200, outcome.resource, select);
    if (outcome.kind === 'failed')
      throw new Refusal(this.#parts.assumptions.mandatoryMissing, outcome.reason);
    if (this.#parts.assumptions.readConditionUnmet === 'empty') return scimAnswer(200, {});
    throw new Refusal(404, outcome.reason);
  }

  #selection(query: URLSearchParams): Selection {
    const select = readSelection(query);
    if (this.#type !== 'Groups' || !knowsMembersType(this.#system)) return select;
    const reduce = readMembersType(query);
    return (resource) => select(reduce(resource));
  }

  async create(ask: Ask): Promise<Answer> {
    const written = this.#write('create', this.#body(ask));
    if (!written) return nothing;
    const entity = await this.#try('create', '', () =>
      this.#system.backend.create(this.#type, written.body, written.id),
    );
    const resource = this.#readBack(entity);
    const location = attributeOf(isObject(resource['meta']) ? resource['meta'] : {}, 'location');
    const answer = this.#resourceAnswer(201, resource);
    return typeof location === 'string' ? { ...answer, headers: { ...answer.headers, location } } : answer;
  }

  async replace(ask: Ask, id: string): Promise<Answer> {
    const written = this.#write('replace', this.#body(ask), id);
    if (!written) return nothing;
    await this.#checkVersion(ask, id);
    const native = written.id ?? id;
    const entity = await this.#try('update', native, () =>
      this.#system.backend.replace(this.#type, native, written.body),
    );
    return this.#resourceAnswer(200, this.#readBack(entity));
  }

  async patch(ask: Ask, id: string): Promise<Answer> {
    const body = this.#body(ask);
    if (this.#parts.assumptions.patchSpellings === 'rfc') checkSpellings(body);
    const written = this.#write('patch', body, id);
    if (!written) return nothing;
    await this.#checkVersion(ask, id);
    const native = written.id ?? id;
    const { backend } = this.#system;
    await this.#try('patch', native, () => backend.patch(this.#type, native, written.body));
    if (!patchTellsResource(this.#system)) return nothing;
    const entity = await this.#try('read', native, () => backend.get(this.#type, native));
    return this.#resourceAnswer(200, this.#readBack(entity));
  }

  async delete(ask: Ask, id: string): Promise<Answer> {
    if (!this.#write('delete', {}, id)) return nothing; // the transformation may not offer it (skipOperations)
    await this.#checkVersion(ask, id);
    const native = this.#system.transformer.nativeId(this.#type, id);
    await this.#try('delete', native, () => this.#system.backend.delete(this.#type, native));
    return nothing;
  }

  #write(operation: WriteOperation, body: Resource, id?: string) {
    const { assumptions } = this.#parts;
    const outcome = this.#system.transformer.write(this.#type, operation, body, id);
    if (outcome.kind === 'entity') return outcome;
    if (outcome.kind === 'failed') throw new Refusal(assumptions.mandatoryMissing, outcome.reason);
    if (assumptions.writeConditionUnmet === 'refuse') throw new Refusal(400, outcome.reason);
    return undefined;
  }

  #read(entity: Resource) {
    const base = `${this.#parts.address()}/ipsproxy/service/api/v1/scim/${this.#system.id}/${this.#type}/`;
    return this.#system.transformer.read(this.#type, entity, base);
  }

  /** An entity for a page: none when the condition drops it. */
  #readForList(entity: Resource): Resource[] {
    const outcome = this.#read(entity);
    if (outcome.kind === 'resource') return [this.#versioned(outcome.resource)];
    if (outcome.kind === 'failed') {
      if (this.#parts.assumptions.brokenEntityInList === 'fail')
        throw new Refusal(this.#parts.assumptions.mandatoryMissing, outcome.reason);
      this.#parts.warn(`${this.#system.name}: an entity is left out of a page: ${outcome.reason}`);
    }
    return [];
  }

  /** The result of a write. The backend has written already, so not even a faulty transformation may refuse. */
  #readBack(entity: Resource): Resource {
    const outcome = this.#read(entity);
    if (outcome.kind === 'resource') return outcome.resource;
    this.#parts.warn(`${this.#system.name}: the result of a write is not shown: ${outcome.reason}`);
    return {
      schemas: attributeOf(entity, 'schemas') ?? [],
      id: this.#system.backend.idOf(this.#type, entity),
    };
  }

  #body(ask: Ask): Resource {
    const type = ask.headers['content-type'];
    const strict = this.#parts.assumptions.mediaTypes === 'scim-only';
    if (!isScimMedia(type) || (strict && !type?.toLowerCase().startsWith(scimMediaType)))
      throw new Refusal(415, 'The media type is not supported.');
    return readJson(ask);
  }

  #try<T>(verb: Attempt, id: string, call: () => Promise<T>): Promise<T> {
    const path = id === '' ? '' : `/${encodeURIComponent(id)}`;
    return attempt(verb, `${this.#system.backend.url}/${this.#type}${path}`, call);
  }

  #versioned(resource: Resource): Resource {
    return this.#parts.assumptions.etag === 'none' ? resource : versioned(resource);
  }

  #resourceAnswer(status: number, resource: Resource, select = (all: Resource) => all): Answer {
    if (this.#parts.assumptions.etag === 'none') return scimAnswer(status, select(resource));
    return scimAnswer(status, select(this.#versioned(resource)), { etag: versionOf(resource) });
  }

  async #checkVersion(ask: Ask, id: string): Promise<void> {
    const expected = ask.headers['if-match'];
    if (this.#parts.assumptions.etag === 'none' || expected === undefined || expected === '*') return;
    const entity = await this.#try('read', id, () =>
      this.#system.backend.get(this.#type, this.#system.transformer.nativeId(this.#type, id)),
    );
    const outcome = this.#read(entity);
    const current = outcome.kind === 'resource' ? versionOf(outcome.resource) : undefined;
    if (current === undefined || !names(expected, current))
      throw new Refusal(412, 'The resource has changed.');
  }
}
