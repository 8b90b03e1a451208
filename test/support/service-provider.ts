/**
 * A SCIM 2.0 service provider of another maker, for comparing what it answers with what comes through the gateway.
 * Ids, versions and times follow from the order of the writes alone, so that two runs give the same bytes.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import express, { type NextFunction, type Request, type Response } from 'express';
import SCIMMY from 'scimmy';
import { SCIMMYRouters } from 'scimmy-routers';

export interface ServiceProvider extends AsyncDisposable {
  /** Its base, without a slash at the end. */
  readonly url: string;
  /** Requests that arrived since it started. */
  readonly count: number;
  /** Forgets all resources and starts counting anew. */
  reset(): void;
}

type Attributes = Record<string, unknown>;
type Kind = 'User' | 'Group';
interface Named {
  readonly value: string;
  readonly display?: string;
}
interface Stored {
  readonly id: string;
  readonly kind: Kind;
  readonly attributes: Attributes;
  readonly created: Date;
  readonly changed: Date;
  readonly version: number;
}

/** The characters that RFC 3986 allows in a segment, and one that it does not, so that links must cope with all. */
export const idOf = (kind: Kind, number: number): string =>
  `${kind === 'User' ? 'u' : 'g'}${number}~a.b@c:d,(e)=é`;

class Directory {
  readonly #resources = new Map<string, Stored>();
  #writes = 0;
  base = '';

  clear(): void {
    this.#resources.clear();
    this.#writes = 0;
  }

  versionOf(id: string): string | undefined {
    const stored = this.#resources.get(id);
    return stored && `W/"${stored.version}"`;
  }

  write(kind: Kind, id: string | undefined, instance: object): Attributes {
    const attributes: Attributes = Object.fromEntries(Object.entries(instance));
    const before = id === undefined ? undefined : this.#find(kind, id);
    const key = kind === 'User' ? 'userName' : 'displayName';
    const twin = this.#all(kind).find((one) => one.attributes[key] === attributes[key] && one !== before);
    if (twin) throw new SCIMMY.Types.Error(409, 'uniqueness', `Another ${kind} has this ${key}.`);
    this.#writes += 1;
    const changed = new Date(Date.UTC(2026, 0, 1) + this.#writes * 1000);
    const stored = {
      id: before?.id ?? idOf(kind, this.#writes),
      kind,
      attributes,
      created: before?.created ?? changed,
      changed,
      version: (before?.version ?? 0) + 1,
    };
    this.#resources.set(stored.id, stored);
    return this.#describe(stored);
  }

  read(kind: Kind, { id, filter }: { id?: string; filter?: SCIMMY.Types.Filter }): Attributes | Attributes[] {
    if (id !== undefined) return this.#describe(this.#find(kind, id));
    const all = this.#all(kind).map((stored) => this.#describe(stored));
    return filter ? filter.match(all) : all;
  }

  remove(kind: Kind, id: string): void {
    this.#resources.delete(this.#find(kind, id).id);
  }

  #find(kind: Kind, id: string): Stored {
    const stored = this.#resources.get(id);
    if (stored?.kind !== kind) throw new SCIMMY.Types.Error(404, '', `There is no ${kind} of this id.`);
    return stored;
  }

  #all(kind: Kind): Stored[] {
    return [...this.#resources.values()].filter((stored) => stored.kind === kind);
  }

  #describe({ id, kind, attributes, created, changed, version }: Stored): Attributes {
    const meta = {
      created: created.toISOString(),
      lastModified: changed.toISOString(),
      version: `W/"${version}"`,
    };
    const links = kind === 'Group' ? this.#membersOf(attributes) : this.#groupsOf(id);
    return { ...attributes, ...links, id, meta };
  }

  #membersOf({ members }: Attributes): Attributes {
    if (!Array.isArray(members)) return {};
    return {
      members: members.map(({ value, display }: Named) => ({
        value,
        ...(display !== undefined && { display }),
        $ref: `${this.base}/Users/${value}`,
        type: 'User',
      })),
    };
  }

  #groupsOf(user: string): Attributes {
    const groups = this.#all('Group').filter(
      ({ attributes: { members } }) =>
        Array.isArray(members) && members.some(({ value }: Named) => value === user),
    );
    if (groups.length === 0) return {};
    return { groups: groups.map(({ id }) => ({ value: id, $ref: `${this.base}/Groups/${id}` })) };
  }
}

/** @param path of its base, such as `/scim/v2`; empty for the root of the host */
export async function startServiceProvider(path = '/scim/v2'): Promise<ServiceProvider> {
  declareResources();
  const directory = new Directory();
  let count = 0;
  const app = express().disable('x-powered-by');
  const routers = new SCIMMYRouters({
    type: 'basic',
    handler: () => idOf('User', 1),
    context: () => directory,
    baseUri: () => directory.base.slice(0, directory.base.length - path.length),
  });
  app.use((_request, _response, next) => {
    count += 1;
    next();
  });
  app.use(path || '/', readPaging, (...args) => keepVersions(directory, ...args), routers);
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  directory.base = `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`;
  return {
    url: directory.base,
    get count() {
      return count;
    },
    reset: () => directory.clear(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

let declared = false;

function declareResources(): void {
  if (declared) return;
  declared = true;
  SCIMMY.Resources.declare(
    SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false)
      .ingress(({ id }, instance, directory: Directory) => directory.write('User', id, instance) as never)
      .egress((resource, directory: Directory) => directory.read('User', resource) as never)
      .degress(({ id }, directory: Directory) => directory.remove('User', id ?? '')),
  );
  SCIMMY.Resources.declare(
    SCIMMY.Resources.Group.ingress(
      ({ id }, instance, directory: Directory) => directory.write('Group', id, instance) as never,
    )
      .egress((resource, directory: Directory) => directory.read('Group', resource) as never)
      .degress(({ id }, directory: Directory) => directory.remove('Group', id ?? '')),
  );
}

/** The routers cast these themselves, but in vain: Express 5 parses the query anew whenever it is read. */
function readPaging(request: Request, _response: Response, next: NextFunction): void {
  const numbers = Object.entries(request.query).map(([name, value]) => [
    name,
    ['startIndex', 'count'].includes(name) && typeof value === 'string' && /^-?\d+$/.test(value)
      ? Number(value)
      : value,
  ]);
  Object.defineProperty(request, 'query', { value: Object.fromEntries(numbers) });
  next();
}

/** What the routers leave out of RFC 7644: `ETag` and `If-Match` (§3.14), `Location` of what was created (§3.3). */
function keepVersions(directory: Directory, request: Request, response: Response, next: NextFunction): void {
  const version = directory.versionOf(decodeURIComponent(request.path.split('/')[2] ?? ''));
  const wanted = request.headers['if-match'];
  if (wanted !== undefined && wanted !== version) {
    const error = new SCIMMY.Types.Error(412, '', 'The resource has another version.');
    response.status(412).type('application/scim+json').send(new SCIMMY.Messages.ErrorResponse(error));
    return;
  }
  const json = response.json.bind(response);
  response.json = (body: { meta?: { version?: string; location?: string } } | undefined) => {
    if (body?.meta?.version) response.set('etag', body.meta.version);
    if (response.statusCode === 201 && body?.meta?.location) response.location(body.meta.location);
    return json(body);
  };
  next();
}
