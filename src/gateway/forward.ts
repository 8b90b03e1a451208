/**
 * The proxy library as one async function: a request goes in, the tenant's whole reply comes out.
 *
 * The library is handed a request and a response that have no socket. So nothing of the caller's
 * connection leaks into the upstream one, and no fault of the upstream one can reach the caller
 * half-way: every outcome is a Reply or a thrown NoReply, and the code that called decides what to say.
 */
import {
  IncomingMessage,
  ServerResponse,
  type Agent,
  type ClientRequest,
  type IncomingHttpHeaders,
} from 'node:http';
import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

import { createProxyMiddleware } from 'http-proxy-middleware';

import type { Headers, Reply } from '../scim/call.ts';

export interface UpstreamCall {
  readonly method: string;
  /** Path and query below the upstream's URL, already normalised. */
  readonly path: string;
  readonly headers: Headers;
  readonly body?: Buffer;
  readonly maxReplyBytes: number;
}

/** Throws NoReply; the signal is the call's own deadline, never the caller's patience. */
export type Forward = (call: UpstreamCall, deadline: AbortSignal) => Promise<Reply>;

/** Why there is no whole reply. */
export class NoReply extends Error {
  /** Whether a connection stood, so that the tenant may have seen the request and acted on it. */
  readonly sent: boolean;
  readonly timedOut: boolean;
  /** Whether the connection was lost before a first byte of a reply. */
  readonly silent: boolean;

  constructor(cause: unknown, { sent, silent }: { sent: boolean; silent: boolean }) {
    super('no reply from the tenant', { cause });
    this.name = 'NoReply';
    this.sent = sent;
    this.silent = silent;
    this.timedOut = cause instanceof Error && cause.name === 'TimeoutError';
  }
}

class Outgoing extends IncomingMessage {
  constructor({ method, path, headers, body }: UpstreamCall) {
    super(new Socket());
    this.method = method;
    this.url = path;
    this.headers = { ...headers };
    this.complete = true;
    if (body) this.push(body);
    this.push(null);
  }
}

class Capture extends ServerResponse {
  readonly #reply = Promise.withResolvers<Reply>();
  readonly reply = this.#reply.promise;
  readonly #maxBytes: number;
  #sent = false;
  #silent = true;

  constructor(call: UpstreamCall) {
    super(new Outgoing(call));
    this.#maxBytes = call.maxReplyBytes;
  }

  watch(request: ClientRequest): void {
    const { socket } = request;
    const connected = (): void => {
      this.#sent = true;
    };
    if (request.reusedSocket || !socket || isConnected(socket)) connected();
    else socket.once(socket instanceof TLSSocket ? 'secureConnect' : 'connect', connected);
    // A tenant that switches protocols would leave the library waiting for a response for ever.
    request.once('upgrade', (_reply, upgraded) => {
      upgraded.destroy();
      this.#silent = false;
      this.fail(new Error('the reply switches protocols'));
    });
  }

  async receive(upstream: IncomingMessage): Promise<void> {
    this.#silent = false;
    try {
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of upstream as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > this.#maxBytes) throw new Error(`the reply is larger than ${this.#maxBytes} bytes`);
        chunks.push(chunk);
      }
      const { statusCode: status = 502, headers } = upstream;
      this.#reply.resolve({ status, headers: singleValues(headers), body: Buffer.concat(chunks) });
    } catch (error) {
      this.fail(error);
    }
  }

  fail(reason: unknown): void {
    // What the parser complains of has arrived, although it made no reply.
    if (isParserFault(reason)) this.#silent = false;
    this.#reply.reject(new NoReply(reason, { sent: this.#sent, silent: this.#silent }));
  }

  /** What a closed client connection looks like to the library: it drops or settles the exchange. */
  release(): void {
    this.emit('close');
  }
}

function isParserFault(reason: unknown): boolean {
  return reason instanceof Error && 'code' in reason && String(reason.code).startsWith('HPE_');
}

function isConnected(socket: Socket): boolean {
  return socket instanceof TLSSocket
    ? socket.getProtocol() !== null && !socket.connecting
    : !socket.connecting;
}

function singleValues(headers: IncomingHttpHeaders): Headers {
  const entries = Object.entries(headers).map(([name, value]) => [
    name,
    Array.isArray(value) ? value.join(', ') : value,
  ]);
  return Object.fromEntries(entries) as Headers;
}

export function createForward({ url, agent }: { readonly url: URL; readonly agent: Agent }): Forward {
  const proxy = createProxyMiddleware<IncomingMessage, Capture>({
    target: url,
    agent,
    changeOrigin: true,
    selfHandleResponse: true,
    on: {
      proxyReq: (request, _req, res) => res.watch(request),
      proxyRes: (reply, _req, res) => void res.receive(reply),
      econnreset: (error, _req, res) => res.fail(error),
      error: (error, _req, res) => {
        if (res instanceof Capture) res.fail(error);
      },
    },
  });

  return async function forward(call, deadline) {
    const capture = new Capture(call);
    const expire = (): void => capture.fail(deadline.reason);
    if (deadline.aborted) expire();
    deadline.addEventListener('abort', expire, { once: true });
    try {
      const fail = (error: unknown): void => capture.fail(error);
      if (!deadline.aborted) proxy(capture.req, capture, fail).catch(fail);
      return await capture.reply;
    } finally {
      deadline.removeEventListener('abort', expire);
      capture.release();
    }
  };
}
