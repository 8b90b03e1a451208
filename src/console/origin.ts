/**
 * Where the console stands, and whether a request comes from there. Invariant: nothing changes for a request that a page of
 * somebody else could have made (OWASP CSRF Prevention: token, and Origin and Fetch Metadata where a browser sends them).
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

import { Refusal } from './refusal.ts';

export const csrfHeader = 'x-csrf-token';

export class Origins {
  /** As the browser's address bar shows it. */
  readonly main: URL;
  readonly #origins: ReadonlySet<string>;
  readonly #hosts: ReadonlySet<string>;

  /** @param own the listener's own address, which counts on the same machine only */
  constructor(publicUrl: string | undefined, own: string) {
    this.main = new URL(publicUrl ?? own);
    const { protocol, port, hostname } = new URL(own);
    const isLocal = ['127.0.0.1', '[::1]', 'localhost'].includes(hostname);
    const all = [this.main, ...(isLocal ? [new URL(own), new URL(`${protocol}//localhost:${port}`)] : [])];
    this.#origins = new Set(all.map(({ origin }) => origin));
    this.#hosts = new Set(all.map(({ host }) => host));
  }

  /** Browsers send a cookie with `Secure` there. */
  get isSecure(): boolean {
    return this.main.protocol === 'https:';
  }

  /** A name that somebody pointed here may not be used to ask us (DNS rebinding). */
  requireHost({ headers }: IncomingMessage): void {
    if (!this.#hosts.has(headers.host?.toLowerCase() ?? ''))
      throw new Refusal(421, 'bad-request', 'The console does not answer under this name.');
  }

  /** For whatever a page asks by itself. */
  requireOwn({ headers, method }: IncomingMessage): void {
    const site = headers['sec-fetch-site'];
    const { origin } = headers;
    const isLink = method === 'GET' && site === 'none';
    if (site !== undefined && site !== 'same-origin' && !isLink) throw foreign();
    if (origin !== undefined && !this.#origins.has(origin)) throw foreign();
  }
}

export function requireToken({ headers }: IncomingMessage, csrf: string): void {
  const given = Buffer.from(String(headers[csrfHeader] ?? ''));
  const wanted = Buffer.from(csrf);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) throw foreign();
}

function foreign(): Refusal {
  return new Refusal(403, 'csrf', 'The request does not come from the console’s own page.');
}
