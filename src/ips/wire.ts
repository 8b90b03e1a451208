/**
 * The tenant's listener: HTTP/1.1 requests become plain values and answers become bytes. It can go away and
 * come back on the same port, because outages are among the things a tenant is for.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { TLSSocket } from 'node:tls';

import type { Answer, Ask } from './answer.ts';

const maxBodyBytes = 64 * 1024 * 1024;

export interface WireOptions {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly answer: (ask: Ask) => Promise<Answer>;
  readonly tls?: TlsOptions;
}

/** PEM texts. */
export interface TlsOptions {
  readonly key: string;
  readonly cert: string;
}

export class Wire implements AsyncDisposable {
  readonly #options: WireOptions;
  #server: Server | undefined;
  #port: number;

  private constructor(options: WireOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  static async open(options: WireOptions): Promise<Wire> {
    const wire = new Wire(options);
    await wire.resume();
    return wire;
  }

  get port(): number {
    return this.#port;
  }

  /** Refuses connections and cuts those that are open. */
  async suspend(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  async resume(): Promise<void> {
    if (this.#server) return;
    const serve = (request: IncomingMessage, response: ServerResponse) => void this.#serve(request, response);
    const { tls } = this.#options;
    // Which certificates count is decided by their fingerprints, whoever issued them.
    const server = tls
      ? createSecureServer({ ...tls, requestCert: true, rejectUnauthorized: false }, serve)
      : createServer(serve);
    server.listen(this.#port, this.#options.host);
    await once(server, 'listening');
    const address = server.address();
    if (typeof address === 'object' && address) this.#port = address.port;
    this.#server = server;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.suspend();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A caller that hangs up is no concern of a tenant: it finishes what it began.
    response.on('error', () => response.destroy());
    try {
      const ask = await readAsk(request);
      const answer = 'status' in ask ? ask : await this.#options.answer(ask);
      await deliver(answer, request, response);
    } catch {
      // Only an unfinished request comes here: `answer` turns every other error into an Answer.
      response.destroy();
    }
  }
}

async function deliver(answer: Answer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, headers, body, delivery } = answer;
  if (delivery?.kind === 'never') return;
  if (delivery?.kind === 'reset') {
    request.socket.resetAndDestroy();
    return;
  }
  response.writeHead(status, { ...headers, ...lengthOf(answer) });
  if (!delivery) {
    response.end(body);
    return;
  }
  const bytes = Buffer.from(body);
  const chunks =
    delivery.kind === 'cut' ? [bytes.subarray(0, delivery.bytes)] : slices(bytes, delivery.bytes);
  for (const chunk of chunks) {
    if (response.destroyed) return;
    await new Promise((written) => response.write(chunk, written));
    if (delivery.kind === 'trickle') await sleep(delivery.everyMs, undefined, { ref: false });
  }
  if (delivery.kind === 'cut') response.destroy();
  else response.end();
}

function slices(bytes: Buffer, length: number): Buffer[] {
  const count = Math.ceil(bytes.length / length);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * length, (at + 1) * length));
}

function lengthOf({ status, body }: Answer): Record<string, number> {
  return status === 204 ? {} : { 'content-length': Buffer.byteLength(body) };
}

async function readAsk(request: IncomingMessage): Promise<Ask | Answer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return { status: 413, headers: { connection: 'close' }, body: '' };
    chunks.push(chunk);
  }
  const [path, search] = splitTarget(request.url ?? '/');
  const segments = decodeSegments(path);
  if (!segments) return { status: 400, headers: {}, body: '' };
  return {
    method: request.method ?? 'GET',
    segments,
    query: new URLSearchParams(search),
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join() : value,
      ]),
    ),
    body: Buffer.concat(chunks),
    from: request.socket.remoteAddress ?? '',
    ...certificateOf(request),
  };
}

function certificateOf({ socket }: IncomingMessage): Pick<Ask, 'certificate'> {
  const fingerprint = socket instanceof TLSSocket ? socket.getPeerCertificate().fingerprint256 : undefined;
  return fingerprint === undefined ? {} : { certificate: fingerprint };
}

function splitTarget(target: string): readonly [string, string] {
  const at = target.indexOf('?');
  return at < 0 ? [target, ''] : [target.slice(0, at), target.slice(at + 1)];
}

function decodeSegments(path: string): string[] | undefined {
  try {
    return path
      .split('/')
      .filter((segment) => segment !== '')
      .map((segment) => decodeURIComponent(segment));
  } catch {
    return undefined; // a broken percent-encoding: answered with 400
  }
}
