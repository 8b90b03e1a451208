/**
 * The administrative listener: whether the process lives and whether it may take calls. It stands on a port of
 * its own, so that nothing of it can be reached by a caller, and it knows figures only by value.
 */
import { once } from 'node:events';
import http, { type RequestListener } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  /** Without it, plain HTTP. */
  readonly tls?: SecureContextOptions;
  /** What keeps the gateway from taking calls; empty when nothing does. */
  readonly obstacles: () => readonly string[];
}

export interface Admin extends AsyncDisposable {
  readonly url: string;
  /** Handshakes from now on see this. */
  show(tls: SecureContextOptions): void;
}

const limits = { headersTimeout: 5000, requestTimeout: 10_000 };

export async function startAdmin({ host, port, tls, obstacles }: AdminOptions): Promise<Admin> {
  const answer: RequestListener = (request, response) => {
    const reply = route(request.method, request.url, obstacles);
    const body = JSON.stringify(reply.body);
    response
      .writeHead(reply.status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      .end(body);
  };
  const secure =
    tls &&
    https.createServer({ ...limits, ...tls, handshakeTimeout: 5000, ALPNProtocols: ['http/1.1'] }, answer);
  const server = secure ?? http.createServer(limits, answer);
  server.listen(port, host);
  await once(server, 'listening');
  const { address, family, port: given } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://${family === 'IPv6' ? `[${address}]` : address}:${given}`,
    show: (found) => secure?.setSecureContext(found),
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
