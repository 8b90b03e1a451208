/**
 * The listener for load balancers and kubelets: whether the process lives and whether it may take calls, as a bare
 * status. Whoever reaches it learns nothing else, and can hold nothing that the gateway needs.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HealthOptions {
  readonly host: string;
  readonly port: number;
  readonly isReady: () => boolean;
}

export interface Health extends AsyncDisposable {
  readonly port: number;
}

const maxConnections = 200;
const limits = {
  maxHeaderSize: 2048,
  headersTimeout: 2000,
  requestTimeout: 2000,
  connectionsCheckingInterval: 500,
  // A check by HTTP/1.1 without a host names nobody else's.
  requireHostHeader: false,
};

export async function startHealth({ host, port, isReady }: HealthOptions): Promise<Health> {
  const server = http.createServer(limits, (request, response) => {
    response.shouldKeepAlive = false;
    const status = statusOf(`${request.method} ${request.url}`, isReady);
    response.writeHead(status, { 'content-length': 0, 'cache-control': 'no-store' }).end();
  });
  server.maxConnections = maxConnections;
  server.on('connect', (_request, socket) => socket.destroy());
  server.listen(port, host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
}

function statusOf(question: string, isReady: () => boolean): number {
  if (question === 'GET /health/live') return 200;
  if (question === 'GET /health/ready') return isReady() ? 200 : 503;
  return 404;
}
