/**
 * A tenant that creates, keeps and loses answers: a directory in memory whose every write is counted, and whose answer can be
 * held back or cut after the work was done. Its log is the truth that a trail is compared with.
 */
import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

import {
  sendScim,
  startUpstream,
  type Answer,
  type Received,
  type TestUpstream,
} from '../support/upstream.ts';

export interface Executed {
  readonly requestId: string;
  readonly method: string;
  readonly path: string;
  readonly id: string;
  readonly status: number;
}

export interface Resource {
  readonly id: string;
  readonly [attribute: string]: unknown;
}

/** What becomes of a write's answer; the work is done before. */
export type Fate = 'answer' | 'reset' | 'reset-before' | Promise<unknown>;

export interface RepeatingTenant extends AsyncDisposable {
  readonly upstream: TestUpstream;
  readonly url: string;
  /** Every write that was carried out or refused, in order. */
  readonly executed: readonly Executed[];
  readonly resources: ReadonlyMap<string, Resource>;
  fateOf: (request: Received) => Fate;
  /** Does late what a request asked for. */
  carryOut(request: Received): void;
  /** Puts a resource there past the gateway. */
  put(resource: Omit<Resource, 'id'>, created?: Date): Resource;
  writes(): readonly Received[];
  looks(): readonly Received[];
}

export async function startRepeatingTenant(): Promise<RepeatingTenant> {
  const directory = new Directory();
  const answer: Answer = (request, response, { socket }) => {
    if (request.method === 'GET') return directory.read(request, response);
    const fate = tenant.fateOf(request);
    if (fate === 'reset-before') return void socket.resetAndDestroy();
    const told = directory.write(request);
    if (fate === 'reset') return void socket.resetAndDestroy();
    if (fate === 'answer') return told(response);
    return void fate.then(() => told(response));
  };
  const upstream = await startUpstream({ answer });
  const tenant: RepeatingTenant = {
    upstream,
    url: upstream.url,
    executed: directory.executed,
    resources: directory.resources,
    fateOf: () => 'answer',
    carryOut: (request) => void directory.write(request),
    put: (resource, created) => directory.put(resource, created),
    writes: () => upstream.received.filter(({ method }) => method !== 'GET'),
    looks: () => upstream.received.filter(({ method }) => method === 'GET'),
    [Symbol.asyncDispose]: () => upstream[Symbol.asyncDispose](),
  };
  return tenant;
}

type Tell = (response: ServerResponse) => void;

class Directory {
  readonly executed: Executed[] = [];
  readonly resources = new Map<string, Resource>();

  put(resource: object, created = new Date(), id: string = randomUUID()): Resource {
    const times = { created: created.toISOString(), lastModified: created.toISOString() };
    const made = { ...resource, id, meta: { ...times, location: `/Users/${id}` } };
    this.resources.set(id, made);
    return made;
  }

  read({ url }: Received, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, 'http://tenant');
    const id = idIn(pathname);
    const found = id === undefined ? undefined : this.resources.get(id);
    if (id !== undefined) {
      if (found) sendScim(response, 200, found);
      else sendScim(response, 404, error(404, 'There is no such resource.'));
      return;
    }
    const [, name = '', value = ''] = /^(\w+) eq (".*")$/.exec(searchParams.get('filter') ?? '') ?? [];
    const all = [...this.resources.values()];
    const Resources = name === '' ? all.slice(0, 1) : all.filter((each) => each[name] === JSON.parse(value));
    const totalResults = Resources.length;
    sendScim(response, 200, {
      schemas: [],
      totalResults,
      itemsPerPage: totalResults,
      startIndex: 1,
      Resources,
    });
  }

  /** Does it, and gives what is to be told of it. */
  write(request: Received): Tell {
    const { method, url, headers, body } = request;
    const { pathname: path } = new URL(url, 'http://tenant');
    const [status, id, told] = this.#work(method, idIn(path), body === '' ? {} : JSON.parse(body));
    this.executed.push({ requestId: String(headers['x-request-id']), method, path, id, status });
    return (response) => {
      if (status === 204) response.writeHead(204).end();
      else sendScim(response, status, told);
    };
  }

  #work(
    method: string,
    id: string | undefined,
    sent: Record<string, unknown>,
  ): [status: number, id: string, told: object] {
    if (id === undefined) {
      const { userName } = sent;
      const double = this.resources.values().some((each) => each['userName'] === userName);
      if (double) return [409, '', error(409, 'Failed to create entity.')];
      const made = this.put(sent);
      return [201, made.id, made];
    }
    const before = this.resources.get(id);
    if (!before) return [404, id, error(404, 'There is no such resource.')];
    if (method === 'DELETE') this.resources.delete(id);
    else if (method === 'PUT') return [200, id, this.put(sent, new Date(), id)];
    else this.put({ ...before, ...patched(sent) }, new Date(), id);
    return [204, id, {}];
  }
}

function patched(sent: Record<string, unknown>): object {
  const operations = sent['Operations'] as readonly { readonly path: string; readonly value: unknown }[];
  return Object.fromEntries(operations.map(({ path, value }) => [path, value]));
}

function idIn(path: string): string | undefined {
  return /\/(?:Users|Groups)\/([^/]+)$/.exec(path)?.[1];
}

function error(status: number, detail: string): object {
  return { schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'], status, detail };
}
