/** Which host names are the gateway's own: a request that names another was meant for somebody else. */
import { isIPv6 } from 'node:net';

import { isLoopback } from './config-values.ts';

/** Lower-case authorities (host, or host and port) under which callers may address the listener. */
export function authorities(
  publicUrl: string,
  listener: { readonly host: string; readonly hosts: readonly string[] },
  port: number,
): ReadonlySet<string> {
  const { hostname, protocol, port: publicPort } = new URL(publicUrl);
  const ports = [port, publicPort || (protocol === 'https:' ? 443 : 80)];
  const local = isLoopback(listener.host) ? ['localhost', '127.0.0.1', '::1'] : [];
  const names = [hostname, listener.host, ...listener.hosts, ...local].map((name) =>
    isIPv6(name) ? `[${name}]` : name.toLowerCase(),
  );
  return new Set(names.flatMap((name) => [name, ...ports.map((number) => `${name}:${number}`)]));
}
