/**
 * The listener for load balancers and kubelets: whether the process lives, has started, and may take calls, as a bare
 * status. Whoever reaches it learns nothing else, and can hold nothing that the gateway needs.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export type PartState = 'ok' | 'degraded' | 'failed';

/** What whoever asks is told; what is degraded is made do without, and keeps no call away. */
export interface Condition {
  /** Whether it has come so far as to take calls; it stays true while it drains. */
  readonly hasStarted: boolean;
  /** What keeps it from taking calls; empty when nothing does. */
  readonly reasons: readonly string[];
  readonly parts: Readonly<Record<string, PartState>>;
}

export interface HealthOptions {
  readonly host: string;
  readonly port: number;
  readonly condition: () => Condition;
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

export async function startHealth({ host, port, condition }: HealthOptions): Promise<Health> {
  const server = http.createServer(limits, (request, response) => {
    response.shouldKeepAlive = false;
    const status = statusOf(`${request.method} ${request.url}`, condition());
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

function statusOf(question: string, { hasStarted, reasons }: Condition): number {
  switch (question) {
    case 'GET /health/live':
      return 200;
    case 'GET /health/startup':
      return hasStarted ? 200 : 503;
    case 'GET /health/ready':
      return reasons.length === 0 ? 200 : 503;
    default:
      return 404;
  }
}
