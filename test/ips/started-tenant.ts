/** A tenant on a free port for one test, and the calls of an identity manager to it. */
import { permissions } from '../../src/ips/technical-users.ts';
import { startTenant, type Tenant, type TenantOptions } from '../../src/ips/tenant.ts';

export const clientId = '3b6f3c1e-5d2a-4a56-9b1f-6a0d8d0c1a11';
export const secret = 'a secret: with colon';
export const proxyId = '0b7c1c52-1f5e-4b4e-9f57-6a2f0d3c9a11';
export const sourceId = '5e0b5b60-44d4-4f0c-9a5e-1d2a3b4c5d6e';
export const basic = `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`;

const generous = { slowAt: 10_000, refuseAt: 20_000, minuteMs: 60_000, delayMs: 1000 };

export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // The tests look into bodies of many shapes; what is not there shows as a failed assertion.
  readonly body: Body;
}
export interface Body {
  readonly [name: string]: unknown;
  readonly id?: string;
  readonly detail?: string;
  readonly totalResults?: number;
  readonly itemsPerPage?: number;
  readonly Resources?: readonly Body[];
  readonly members?: readonly { readonly value: string; readonly type?: string; readonly $ref?: string }[];
  readonly groups?: readonly { readonly value: string; readonly display?: string }[];
  readonly meta?: Readonly<Record<string, string>>;
}

export async function gotOf(response: Response): Promise<Got> {
  const { status, headers } = response;
  const text = await response.text();
  const isJson = headers.get('content-type')?.includes('json') && text !== '';
  return { status, headers, text, body: isJson ? JSON.parse(text) : {} };
}

export interface StartedTenant extends AsyncDisposable {
  readonly tenant: Tenant;
  /** A call below the proxy system's base, such as `GET`, `/Users?count=1`. */
  readonly call: (
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ) => Promise<Got>;
  /** A call to any path of the tenant. */
  readonly fetch: (path: string, init?: RequestInit) => Promise<Got>;
}

export async function startedTenant(changes: Partial<TenantOptions> = {}): Promise<StartedTenant> {
  const tenant = await startTenant({
    port: 0,
    technicalUsers: [{ clientId, secrets: [secret], permissions }],
    systems: [{ id: proxyId, backend: { kind: 'directory', users: 30, groups: 4 } }],
    limiter: generous,
    ...changes,
  });
  const fetchPath = async (path: string, init: RequestInit = {}): Promise<Got> => {
    return gotOf(await fetch(new URL(path, tenant.url), { redirect: 'manual', ...init }));
  };
  return {
    tenant,
    fetch: fetchPath,
    call: (method, path, body, headers = {}) =>
      fetchPath(`/ipsproxy/service/api/v1/scim/${proxyId}${path}`, {
        method,
        headers: {
          authorization: basic,
          ...(body !== undefined && { 'content-type': 'application/scim+json' }),
          ...headers,
        },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    [Symbol.asyncDispose]: () => tenant[Symbol.asyncDispose](),
  };
}

export const patchOf = (...Operations: readonly unknown[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations,
});
