/**
 * The console's two cookies: the session, and the log-on by OIDC that is under way. Scripts read neither. With TLS their
 * names say that they are ours (RFC 6265bis §4.1.3.2); plain HTTP on the same machine cannot have such names.
 */
import type { IncomingMessage } from 'node:http';

export type CookieName = 'session' | 'log-on';

/** The issuer's page leads back to us, and `Strict` would not come along from there. */
const sameSite = { session: 'Strict', 'log-on': 'Lax' } as const satisfies Record<CookieName, string>;

export function readCookie(
  { headers }: IncomingMessage,
  name: CookieName,
  isSecure: boolean,
): string | undefined {
  const wanted = nameOf(name, isSecure);
  const found = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim().split('='))
    .filter(([given]) => given === wanted);
  // Two of one name: somebody put one beside ours, and nobody can say which.
  return found.length === 1 ? found[0]?.[1] : undefined;
}

/** @param seconds how long the browser keeps it; without it until it is closed */
export function cookie(name: CookieName, value: string, isSecure: boolean, seconds?: number): string {
  const parts = [`${nameOf(name, isSecure)}=${value}`, 'Path=/', 'HttpOnly', `SameSite=${sameSite[name]}`];
  if (isSecure) parts.push('Secure');
  if (seconds !== undefined) parts.push(`Max-Age=${seconds}`);
  return parts.join('; ');
}

export function noCookie(name: CookieName, isSecure: boolean): string {
  return cookie(name, '', isSecure, 0);
}

function nameOf(name: CookieName, isSecure: boolean): string {
  return `${isSecure ? '__Host-' : ''}gatehouse-${name}`;
}
