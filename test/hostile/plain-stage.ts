/** The gateway that most rows share, and the requests that they send to it. */
import { Secret } from '../../src/gateway/secret.ts';
import { systemId } from '../support/gateway.ts';
import { request } from '../support/raw.ts';
import { besiege, type Siege } from '../support/siege.ts';
import type { Case, Seen } from './row.ts';
import type { Scene } from './scene.ts';

/** A system that the caller `stranger` alone is assigned to, and one that is any service provider's. */
export const other = 'b1f0e7a2-0000-4000-8000-000000000002';
export const people = 'people';
export const proxyBase = '/ipsproxy/service/api/v1/scim';
export const base = `${proxyBase}/${systemId}`;

/** Nobody waits for a turn here. */
export const pace = { perMinute: 50_000, burst: 1000, tenantLimit: 100_000, minute: '1s' } as const;
export const credential = { type: 'basic', user: 'gateway', secret: new Secret('the-tenants') } as const;
const ours = `Basic ${Buffer.from('gateway:the-tenants').toString('base64')}`;

/** Times are short, so that what is slow is found to be so in a test. */
export function besiegePlain(limits: object = {}): Promise<Siege> {
  const permission = { permission: 'Access Proxy System API', access: ['read', 'write'] } as const;
  return besiege({
    tenant: { credential, pace },
    callers: {
      'identity-manager': { permissions: [{ ...permission, systems: 'all', access: ['read', 'write'] }] },
      stranger: { permissions: [{ ...permission, systems: [other], access: ['read'] }] },
    },
    config: {
      systems: {
        // A probe after a write would go up beside the calls that rows count.
        [systemId]: { tenant: 'acme', cache: { writeReplies: false } },
        [other]: { tenant: 'acme' },
        [people]: { tenant: 'acme', kind: 'scim' },
      },
      limits: { body: '1MiB', headersTime: '1s', bodyTime: '1s', ...limits },
    },
  });
}

export const json = 'Content-Type: application/scim+json';
export const chunked = 'Transfer-Encoding: chunked';
/** What a smuggler would like the gateway or the tenant to take for the next request. */
export const hidden = 'DELETE /hidden HTTP/1.1\r\nHost: gateway\r\n\r\n';

type Bytes = (scene: Scene) => string | Buffer;
type Play = Case['play'];

export const sends =
  (bytes: Bytes): Play =>
  async (scene) =>
    void (await scene.send(bytes(scene)));

export const get = (...fields: readonly string[]): Play =>
  sends((scene) => request(scene.head('GET', scene.path, ...fields)));

export const post = (fields: readonly string[], body = '{}'): Play =>
  sends((scene) => request(scene.head('POST', '/Users', json, ...fields), body));

/** A target that is not below the system's base, or not cleanly. */
export const target = (target: string, method = 'GET'): Play =>
  sends((scene) => request(scene.head(method, '').with(0, `${method} ${target} HTTP/1.1`)));

export const oneOwnCredential = {
  'the tenant gets the gateway’s credential': ({ received }: Seen) =>
    received.length === 1 && received[0]?.headers.authorization === ours,
};
