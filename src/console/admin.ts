/**
 * The administrative listener: whether the process lives, whether it may take calls, its figures, and the console where
 * one is configured. It stands on a port of its own, so that nothing of it can be reached by a caller.
 */
import { once } from 'node:events';
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { SecureContextOptions } from 'node:tls';

import { describeError, log } from '../log.ts';
import type { Condition } from './health.ts';
import type { Metrics } from './metrics.ts';

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  /** Without it, plain HTTP. */
  readonly tls?: SecureContextOptions;
  readonly condition: () => Condition;
  readonly metrics: Pick<Metrics, 'scrape'>;
  /** Answers whatever is no question for health or figures. */
  readonly console?: (() => AnswerConsole | undefined) | undefined;
}

export type AnswerConsole = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

export interface Admin extends AsyncDisposable {
  readonly url: string;
  /** Handshakes from now on see this. */
  show(tls: SecureContextOptions): void;
}

const limits = { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 };
/** People and monitoring need some dozens; whoever takes more takes descriptors that calls need. */
const maxConnections = 256;
/** Nothing was sent or taken for so long: an answer that nobody reads is not kept. Live figures come every second. */
const silenceMs = 120_000;

export async function startAdmin({ host, port, tls, ...parts }: AdminOptions): Promise<Admin> {
  const answer = oneByOne((request, response) => {
    const answerConsole = isForConsole(request.url) ? parts.console?.() : undefined;
    // It answers also what it cannot do, so nothing of it rejects.
    if (answerConsole) return void answerConsole(request, response);
    const send = ({ status, type, body }: Reply): void =>
      void response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
    route(request.method, request.url, parts).then(send, (error: unknown) => {
      log.error('the administrative listener failed', describeError(error));
      send(json(500, { status: 'failed' }));
    });
  });
  const secure =
    tls &&
    https.createServer({ ...limits, ...tls, handshakeTimeout: 5000, ALPNProtocols: ['http/1.1'] }, answer);
  const server = secure ?? http.createServer(limits, answer);
  server.maxConnections = maxConnections;
  server.timeout = silenceMs;
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

/**
 * No browser and no monitoring asks again before it has its answer, and each answer costs memory from when it is asked for:
 * a thousand questions fit into one segment.
 */
function oneByOne(listener: RequestListener): RequestListener {
  const busy = new WeakSet<Socket>();
  return (request, response) => {
    const { socket } = request;
    if (busy.has(socket)) return void socket.destroy();
    busy.add(socket);
    response.once('close', () => busy.delete(socket));
    listener(request, response);
  };
}

/** What is asked without a log-on stays as it is, whatever the console is. */
function isForConsole(url = ''): boolean {
  return url === '/' || url === '/console' || url.startsWith('/console/') || url.startsWith('/console?');
}

interface Reply {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function route(
  method: string | undefined,
  path: string | undefined,
  { condition, metrics }: Pick<AdminOptions, 'condition' | 'metrics'>,
): Promise<Reply> {
  if (method !== 'GET') return json(405, { status: 'method not allowed' });
  switch (path) {
    case '/health/live':
      return json(200, { status: 'live' });
    case '/health/startup': {
      const { hasStarted } = condition();
      return json(hasStarted ? 200 : 503, { status: hasStarted ? 'started' : 'starting' });
    }
    case '/health/ready': {
      const { reasons, parts } = condition();
      return reasons.length === 0
        ? json(200, { status: 'ready', parts })
        : json(503, { status: 'not ready', reasons, parts });
    }
    case '/metrics': {
      const { type, text } = await metrics.scrape();
      return { status: 200, type, body: text };
    }
    default:
      return json(404, { status: 'not found' });
  }
}

function json(status: number, content: object): Reply {
  return { status, type: 'application/json', body: JSON.stringify(content) };
}
