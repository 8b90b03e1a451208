/** Where callers call the system, whatever stands there. */
import { proxyId } from '../test/ips/started-tenant.ts';

export const systemPath = `/ipsproxy/service/api/v1/scim/${proxyId}`;

export interface Entrance {
  /** Base addresses of the system, one per replica; a worker stays with one, as with a connection. */
  readonly bases: readonly string[];
  readonly authorization: string;
}
