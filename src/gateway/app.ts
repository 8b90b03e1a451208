/**
 * Express at the edge: turns its request into a Call, hands it to the line, and writes the answer. No routing
 * happens here, because Express' router forgives what the strict target parser must refuse.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';

import express, { type ErrorRequestHandler } from 'express';

import type { Networks } from '../auth/network.ts';
import { describeError, log, withRequest } from '../log.ts';
import type { Call, ClientCertificate, Headers } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import type { Exchange } from './exchange.ts';
import { sourceOfCall } from './forwarded.ts';
import { readHeaders } from './headers.ts';
import { guestOn } from './peer.ts';
import { asScimError, finish, respond, toReply } from './respond.ts';

export interface Edge {
  readonly exchange: Exchange;
  readonly isOurs: (authority: string) => boolean;
  readonly maxHeaders: number;
  readonly bodyTimeMs: number;
  readonly idleTimeMs: number;
  readonly isDraining: () => boolean;
}

/** What only the listener knows that the caller has come to. */
export interface Entrance {
  /** Whose word is taken for where a call came from. */
  readonly hops: Networks;
  /** The certificate that a caller has shown; throws when it may not call. */
  readonly certificateOf: (request: IncomingMessage) => ClientCertificate | undefined;
}

export function createApp(edge: Edge, entrance: Entrance): RequestListener {
  const app = express().disable('x-powered-by').disable('etag');
  app.use((request, response) => serve(edge, entrance, request, response));
  const lastResort: ErrorRequestHandler = (error, _request, response, next) => {
    log.error('a call ended outside the line', describeError(error));
    if (response.headersSent) next(error);
    else respond(response, finish(toReply(asScimError(error)), randomUUID()));
  };
  app.use(lastResort);
  return (request, response) => {
    // Express reads it, and answers in its own way, without a record, where it finds no path (`foo://bar`).
    targets.set(request, request.url ?? '');
    request.url = '/';
    app(request, response);
  };
}

/** The raw targets of requests, which the line alone reads. */
const targets = new WeakMap<IncomingMessage, string>();

async function serve(
  edge: Edge,
  entrance: Entrance,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // Its silence means nothing while the call is at work; see below.
  request.socket.setTimeout(0);
  const guest = guestOn(request.socket);
  let isKnown = false;
  guest?.ask();
  const call = receive(edge, entrance, { request, response, onKnown: () => (isKnown = true) });
  // Whoever cannot say one thing plainly is not asked for the next on the same connection.
  if (call.flaw) response.shouldKeepAlive = false;
  respond(response, await withRequest(call.id, () => edge.exchange(call)));
  guest?.rest(isKnown);
  // Node watches a connection between calls alone, not one whose caller takes nothing of its answer.
  if (!response.writableFinished) response.socket?.setTimeout(edge.idleTimeMs);
}

interface Arrival extends Pick<Call, 'onKnown'> {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

function receive(
  edge: Edge,
  { hops, certificateOf }: Entrance,
  { request, response, onKnown }: Arrival,
): Call {
  const leaving = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) leaving.abort(callerLeft());
  });
  let headers: Headers = {};
  let certificate: ClientCertificate | undefined;
  let flaw: ScimError | undefined;
  try {
    headers = readHeaders(request.rawHeaders, edge.maxHeaders);
    checkReception(edge, request, headers);
    certificate = certificateOf(request);
  } catch (thrown) {
    flaw = asScimError(thrown);
  }
  return {
    id: randomUUID(),
    receivedAt: Date.now(),
    method: request.method ?? '',
    target: targets.get(request) ?? '',
    headers,
    ...(flaw && { flaw }),
    source: sourceOfCall(request, hops),
    ...(certificate && { certificate }),
    onKnown,
    readBody: (maxBytes) => collect(request, response, { maxBytes, timeMs: edge.bodyTimeMs }),
    left: leaving.signal,
  };
}

/** What must hold before anyone reads the call: RFC 9110 §7.2 (Host), §7.8 (Upgrade), §10.1.1 (Expect). */
function checkReception({ isOurs, isDraining }: Edge, request: IncomingMessage, headers: Headers): void {
  // It was sent ahead, and the answer before it closed the connection.
  if (!request.socket.writable) throw callerLeft();
  // The parser also takes these, of which others in front may think otherwise.
  if (request.httpVersion === '0.9')
    throw new ScimError('bad-request', 'The request line names no version of HTTP.');
  if (!request.httpVersion.startsWith('1.'))
    throw new ScimError('http-version', 'The gateway speaks HTTP/1.1.');
  if (isDraining())
    throw new ScimError('draining', 'The gateway is shutting down.', {
      retryAfter: 5,
      headers: { connection: 'close' },
    });
  if (headers['host'] === undefined) throw new ScimError('bad-request', 'The request names no host.');
  if (!isOurs(headers['host']))
    throw new ScimError('misdirected', 'The request names a host that this gateway does not serve.');
  if (request.headers.upgrade !== undefined)
    throw new ScimError('bad-request', 'The gateway does not switch protocols.');
  const { expect } = headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue')
    throw new ScimError('expectation-failed', 'The expectation cannot be met.');
}

async function collect(
  request: IncomingMessage,
  response: ServerResponse,
  { maxBytes, timeMs }: { maxBytes: number; timeMs: number },
): Promise<Buffer> {
  if (request.destroyed) throw callerLeft();
  // Whoever asked first is told to go on only now, so that a refusal spares both sides the body.
  // RFC 9110 §10.1.1: HTTP/1.0 does not know interim answers.
  if (request.headers.expect !== undefined && request.httpVersion !== '1.0') response.writeContinue();
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(
    () => reject(new ScimError('body-timeout', 'The body did not arrive in time.')),
    timeMs,
  );
  const take = (chunk: Buffer): void => {
    size += chunk.length;
    if (size <= maxBytes) chunks.push(chunk);
    else reject(new ScimError('too-large', `The body is larger than ${maxBytes} bytes.`));
  };
  request.on('data', take);
  request.once('end', () => resolve(Buffer.concat(chunks)));
  request.once('error', () => reject(callerLeft()));
  request.once('close', () => reject(callerLeft()));
  return promise.finally(() => {
    clearTimeout(timer);
    request.off('data', take);
  });
}

const callerLeft = (): ScimError => new ScimError('caller-left', 'The caller hung up.');
