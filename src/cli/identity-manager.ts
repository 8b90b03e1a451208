/**
 * An identity manager as the demonstration plays it: it provisions over HTTP like any caller, and it believes
 * only what it was answered. At the end its belief is compared with the tenant's directory.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { schemas, scimMediaType } from '../scim/message.ts';

type ResourceType = 'Users' | 'Groups';

export interface Resource {
  readonly id: string;
  readonly [attribute: string]: unknown;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export interface Account {
  readonly user: string;
  readonly secret: string;
}

export class IdentityManager {
  /** What it believes to be in the system, by id. */
  readonly belief = { Users: new Map<string, Resource>(), Groups: new Map<string, Resource>() };
  calls = 0;
  hits = 0;
  /** Answers with a status of 400 and above, by status. */
  readonly refusals = new Map<number, number>();
  longestMs = 0;
  readonly #base: string;
  readonly #authorization: string;

  /** @param base address of the system at the gateway */
  constructor(base: string, { user, secret }: Account) {
    this.#base = base;
    this.#authorization = `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
  }

  async call(method: string, path: string, body?: object): Promise<Answer> {
    const startedAt = performance.now();
    const response = await fetch(`${this.#base}${path}`, {
      method,
      headers: {
        authorization: this.#authorization,
        accept: scimMediaType,
        ...(body && { 'content-type': scimMediaType }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    this.calls += 1;
    this.longestMs = Math.max(this.longestMs, performance.now() - startedAt);
    const { status, headers } = response;
    if (headers.get('cache-status')?.includes('hit')) this.hits += 1;
    if (status >= 400) this.refusals.set(status, (this.refusals.get(status) ?? 0) + 1);
    return { status, headers, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** Reads every page as SAP documents it: on by `itemsPerPage` until `totalResults` is reached. */
  async load(type: ResourceType, onPage: (loaded: number) => void): Promise<number> {
    const found = new Map<string, Resource>();
    for (let startIndex = 1, total = 1; startIndex <= total;) {
      const { status, body } = await this.call('GET', `/${type}?startIndex=${startIndex}`);
      if (status !== 200) throw new Error(`a page of ${type} was answered with ${status}`);
      const page = body as { totalResults: number; itemsPerPage: number; Resources: Resource[] };
      for (const resource of page.Resources) found.set(resource.id, resource);
      if (page.itemsPerPage === 0) break;
      startIndex += page.itemsPerPage;
      total = page.totalResults;
      onPage(found.size);
    }
    this.belief[type].clear();
    for (const [id, resource] of found) this.belief[type].set(id, resource);
    return found.size;
  }

  async create(type: ResourceType, resource: object): Promise<number> {
    const { status, body } = await this.call('POST', `/${type}`, resource);
    if (status === 201) this.#believe(type, body as Resource);
    return status;
  }

  async replace(type: ResourceType, { id, ...resource }: Resource): Promise<number> {
    const { status, body } = await this.call('PUT', `/${type}/${id}`, { id, ...resource });
    if (status === 200) this.#believe(type, body as Resource);
    return status;
  }

  async delete(type: ResourceType, id: string): Promise<number> {
    const { status } = await this.call('DELETE', `/${type}/${id}`);
    if (status === 204) this.belief[type].delete(id);
    return status;
  }

  /** SCIM_ASSIGNMENT_METHOD PATCH: only the change goes up. */
  async patchMembers(groupId: string, op: 'add' | 'remove', userId: string): Promise<number> {
    const operation =
      op === 'add'
        ? { op, path: 'members', value: [{ value: userId }] }
        : { op, path: `members[value eq "${userId}"]` };
    const patch = { schemas: [schemas.patchOp], Operations: [operation] };
    const { status } = await this.call('PATCH', `/Groups/${groupId}`, patch);
    return status;
  }

  /** SCIM_ASSIGNMENT_METHOD PUT: reads the group, changes its members, puts it back. */
  async putMembers(groupId: string, change: (members: Member[]) => Member[]): Promise<number> {
    const { status, body } = await this.call('GET', `/Groups/${groupId}`);
    if (status !== 200) return status;
    const group = body as Resource & { readonly members?: Member[] };
    return this.replace('Groups', { ...group, members: change(group.members ?? []) });
  }

  async refresh(type: ResourceType, id: string): Promise<number> {
    const { status, body } = await this.call('GET', `/${type}/${id}`);
    if (status === 200) this.#believe(type, body as Resource);
    return status;
  }

  /** Reads one resource; what the gateway refuses for want of turns is asked again after the time that it names. */
  async readPatiently(path: string): Promise<number> {
    for (;;) {
      const { status, headers } = await this.call('GET', path);
      if (status !== 429) return status;
      await sleep(Number(headers.get('retry-after') ?? 1) * 1000);
    }
  }

  #believe(type: ResourceType, resource: Resource): void {
    this.belief[type].set(resource.id, resource);
  }
}

export interface Member {
  readonly value: string;
}
