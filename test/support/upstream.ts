/**
 * A programmable tenant: it echoes what it received, counts, and misbehaves on request. By default it answers
 * like a SCIM service provider that knows every id.
 */
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export type Answer = (request: Received, response: ServerResponse, message: IncomingMessage) => void;

export interface TestUpstream extends AsyncDisposable {
  readonly url: string;
  /** Every request that arrived whole, in order. */
  readonly received: readonly Received[];
  /** Replaces what is answered from now on. */
  answer: Answer;
}

export interface UpstreamOptions {
  readonly answer?: Answer;
  readonly tls?: { readonly key: string; readonly cert: string };
  /** False where so many requests arrive that a list of them would be what is measured. */
  readonly remembers?: boolean;
}

export async function startUpstream({
  answer = echo,
  tls,
  remembers = true,
}: UpstreamOptions = {}): Promise<TestUpstream> {
  const received: Received[] = [];
  const listener = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers, rawHeaders } = message;
    let body = '';
    for await (const chunk of message.setEncoding('utf8')) body += String(chunk);
    const request = { method, url, headers, rawHeaders, body };
    if (remembers) received.push(request);
    upstream.answer(request, response, message);
  };
  const serve = (message: IncomingMessage, response: ServerResponse): void =>
    void listener(message, response).catch(() => response.destroy());
  const server = tls ? https.createServer(tls, serve) : http.createServer(serve);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const upstream: TestUpstream = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    received,
    answer,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
  return upstream;
}

export function sendScim(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: object = {},
): void {
  response
    .writeHead(status, { 'content-type': 'application/scim+json', ...headers })
    .end(JSON.stringify(body));
}

/** Answers with a resource that tells what arrived. */
const echo: Answer = (request, response) => {
  if (request.method === 'DELETE') {
    response.writeHead(204).end();
    return;
  }
  const path = request.url.split('?', 1)[0] ?? '';
  const id = path.split('/').at(-1) ?? '';
  const location = `http://${request.headers.host}${path}`;
  const resource = { schemas: [], id, received: request, meta: { location } };
  if (/\/(?:Users|Groups)$/.test(path) && request.method === 'GET')
    sendScim(response, 200, {
      schemas: [],
      totalResults: 1,
      itemsPerPage: 1,
      startIndex: 1,
      Resources: [resource],
    });
  else sendScim(response, request.method === 'POST' ? 201 : 200, resource);
};
