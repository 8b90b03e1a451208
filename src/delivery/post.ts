/**
 * One POST to a collector. 2xx is an acknowledgement; what complains of the content is a refusal of that content; all
 * else, redirects and wrong tokens included, may be mended by somebody, so it is tried again and nothing is left out.
 */
import http, { type Agent, type IncomingMessage } from 'node:http';
import https from 'node:https';

import { codeOf } from '../audit/report.ts';
import { NotTaken, Refused } from './destination.ts';
import type { TlsOptions } from './syslog-connection.ts';

export interface PostOptions {
  readonly url: string;
  readonly tls: TlsOptions;
  readonly outboundProxy?: { readonly url: string; readonly noProxy: readonly string[] } | undefined;
}

/** Bad request, content too large, content that cannot be processed. */
const contentStatuses: ReadonlySet<number> = new Set([400, 413, 422]);

export class Poster {
  readonly #url: URL;
  readonly #agent: Agent;

  constructor({ url, tls: { ca, certificate: cert, key }, outboundProxy }: PostOptions) {
    this.#url = new URL(url);
    const { url: proxy, noProxy } = outboundProxy ?? {};
    const options = {
      keepAlive: true,
      maxSockets: 1,
      ...(proxy && { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NO_PROXY: noProxy?.join(',') } }),
    };
    this.#agent =
      this.#url.protocol === 'http:'
        ? new http.Agent(options)
        : new https.Agent({
            ...options,
            minVersion: 'TLSv1.2',
            ...(ca && { ca }),
            ...(cert && key && { cert, key }),
          });
  }

  /** Resolves when the collector has taken it. */
  async post(body: Buffer, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    const reply = await this.#ask(body, headers, signal).catch((cause: unknown) => {
      throw new NotTaken(signal.aborted ? 'deadline' : codeOf(cause), { cause });
    });
    // What it says is of no use, and must not be waited for.
    reply.on('error', () => undefined).resume();
    const { statusCode: status = 0 } = reply;
    if (status >= 200 && status < 300) return;
    if (contentStatuses.has(status)) throw new Refused(`http ${status}`);
    throw new NotTaken(`http ${status}`, { retryAfterMs: retryAfterOf(reply) });
  }

  close(): void {
    this.#agent.destroy();
  }

  #ask(
    body: Buffer,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { request } = this.#url.protocol === 'http:' ? http : https;
    const all = { ...headers, 'content-length': String(body.length), 'user-agent': 'gatehouse' };
    request(this.#url, { method: 'POST', agent: this.#agent, headers: all, signal })
      .on('response', resolve)
      .on('error', reject)
      .end(body);
    return promise;
  }
}

/** Seconds or a date (RFC 9110 §10.2.3). */
function retryAfterOf({ headers }: IncomingMessage): number {
  const text = headers['retry-after'] ?? '';
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return ms > 0 ? ms : 0;
}
