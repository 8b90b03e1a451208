/**
 * The administrative listener: whether the process lives and whether it may take calls. It stands on a port of
 * its own, so that nothing of it can be reached by a caller, and it knows figures only by value.
 */
import { once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  /** What keeps the gateway from taking calls; empty when nothing does. */
  readonly obstacles: () => readonly string[];
}

export interface Admin extends AsyncDisposable {
  readonly url: string;
}

export async function startAdmin({ host, port, obstacles }: AdminOptions): Promise<Admin> {
  const answer: RequestListener = (request, response) => {
    const reply = route(request.method, request.url, obstacles);
    const body = JSON.stringify(reply.body);
    response
      .writeHead(reply.status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      .end(body);
  };
  const server = http
    .createServer({ headersTimeout: 5000, requestTimeout: 10_000 }, answer)
    .listen(port, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

function route(method: string | undefined, path: string | undefined, obstacles: () => readonly string[]) {
  if (method !== 'GET') return { status: 405, body: { status: 'method not allowed' } };
  if (path === '/health/live') return { status: 200, body: { status: 'live' } };
  if (path !== '/health/ready') return { status: 404, body: { status: 'not found' } };
  const reasons = obstacles();
  return reasons.length === 0
    ? { status: 200, body: { status: 'ready' } }
    : { status: 503, body: { status: 'not ready', reasons } };
}
