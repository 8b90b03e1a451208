/** Which host names are the gateway's own: a request that names another was meant for somebody else. */
import { isIPv6 } from 'node:net';

import { isLoopback } from './config-values.ts';

/** Where callers reach a listener, and the names that they may use for it. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly hosts: readonly string[];
}

/** Lower-case authorities (host, or host and port) under which callers may address the listeners. */
export function authorities(publicUrl: string, listeners: readonly Address[]): ReadonlySet<string> {
  const { hostname, protocol, port } = new URL(publicUrl);
  const publicPort = Number(port) || (protocol === 'https:' ? 443 : 80);
  return new Set(listeners.flatMap((listener) => authoritiesOf(listener, hostname, publicPort)));
}

function authoritiesOf({ host, port, hosts }: Address, publicHost: string, publicPort: number): string[] {
  const local = isLoopback(host) ? ['localhost', '127.0.0.1', '::1'] : [];
  const names = [publicHost, host, ...hosts, ...local].map((name) =>
    isIPv6(name) ? `[${name}]` : name.toLowerCase(),
  );
  return names.flatMap((name) => [name, `${name}:${port}`, `${name}:${publicPort}`]);
}
