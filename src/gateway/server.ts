/**
 * The listener for callers: limits and timeouts, TLS, and everything that Node refuses before Express sees it.
 * Such refusals end in a SCIM error where an answer is possible, and always in a report for the audit trail.
 */
import http, { type IncomingMessage, type RequestListener, type Server } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';

import type { Networks } from '../auth/network.ts';
import { ScimError, type Kind } from '../scim/error.ts';
import { admitTo } from './admission.ts';
import { answersBefore, isAnsweredEarly, oneByOne } from './connection.ts';
import { sourceOfCall } from './forwarded.ts';
import { peerOf } from './peer.ts';
import { finish, lingerMs, toReply } from './respond.ts';
import { contextOptions, type TlsMaterial } from './tls.ts';

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly tls?: TlsMaterial | undefined;
  readonly maxConnections: number;
  readonly maxConnectionsPerSource: number;
  /** Who announces each connection with the PROXY protocol. */
  readonly announcers: Networks;
  /** Whose word is taken for where a call came from. */
  readonly hops: Networks;
  readonly headersTimeMs: number;
  readonly bodyTimeMs: number;
  readonly idleTimeMs: number;
}

/** Something that never became a call. `event` is a name of the audit trail (facts: groups of events). */
export type ReportNoise = (event: string, code: string, sourceIp: string) => void;

const maxHeaderBytes = 16 * 1024;

/** Listens, but serves nothing before `attach`: the address of the listener may have to be known first. */
export async function listen(
  options: ListenerOptions,
  report: ReportNoise,
): Promise<{ server: Server; port: number }> {
  const server = createServer(options);
  // Node would cut a longer list silently; the edge counts the fields and refuses.
  server.maxHeadersCount = 0;
  admitTo(server, { ...options, report });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseMalformed(error, socket, report));
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    report('request.rejected', 'CONNECT', sourceOfCall(request, options.hops).ip);
    answerRaw(
      socket,
      new ScimError('method-not-allowed', 'The method is not supported.', { headers: { allow: methods } }),
    );
  });
  // Before Node's own listener, which would tell of it once more as a request that is malformed.
  server.prependListener('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    report(...failedHandshake(error, socket));
    socket.destroy();
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(options.port, options.host, resolve);
  await promise;
  server.off('error', reject);
  return { server, port: (server.address() as AddressInfo).port };
}

/** To be called in the same turn of the event loop in which `listen` gave the server. */
export function attach(server: Server, app: RequestListener): void {
  const serve = oneByOne(app, (socket) => server.emit('clientError', new TooFarAhead(), socket));
  server.on('request', serve);
  // Node would send 100 (Continue) or 417 itself, before anybody knows who is calling.
  server.on('checkContinue', serve);
  server.on('checkExpectation', serve);
}

/** Handshakes from now on see this; connections that exist go on. */
export function show(server: Server, tls: TlsMaterial): void {
  if (!(server instanceof https.Server)) throw new TypeError('The listener has no TLS.');
  // All of it anew: what is left out would fall back to Node's defaults.
  server.setSecureContext(contextOptions(tls));
}

class TooFarAhead extends Error {
  readonly code = 'TOO_FAR_AHEAD';
}

export const methods = 'GET, POST, PUT, PATCH, DELETE';

type FailedSocket = TLSSocket & {
  /** Null where Node's types say that there is an error. */
  readonly authorizationError: unknown;
};

function failedHandshake(error: NodeJS.ErrnoException, socket: FailedSocket): Parameters<ReportNoise> {
  const { ip } = peerOf(socket);
  if (socket.authorizationError) return ['mtls.rejected', String(socket.authorizationError), ip];
  const isMissing = error.code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';
  return isMissing
    ? ['mtls.rejected', 'NO_CERTIFICATE', ip]
    : ['tls.handshake_failed', error.code ?? 'unknown', ip];
}

function createServer({ tls, headersTimeMs, bodyTimeMs, idleTimeMs }: ListenerOptions): Server {
  const options = {
    maxHeaderSize: maxHeaderBytes,
    // A missing Host would be refused by Node without any event, so the edge looks for it.
    requireHostHeader: false,
    headersTimeout: headersTimeMs,
    // The body has its own clock, which answers with a SCIM error and starts when the call has its place among those of
    // its caller, and a refusal does not wait for it. Node's is the last resort, behind the longest patience.
    requestTimeout: headersTimeMs + bodyTimeMs + 600_000,
    connectionsCheckingInterval: 1000,
    keepAliveTimeout: idleTimeMs,
    insecureHTTPParser: false,
  };
  if (!tls) return http.createServer(options);
  return https.createServer({
    ...options,
    ...contextOptions(tls),
    ...(tls.clients && { requestCert: true, rejectUnauthorized: tls.clients.mode === 'required' }),
    handshakeTimeout: headersTimeMs,
    ALPNProtocols: ['http/1.1'],
  });
}

/** Connections that were refused; the parser complains again of every byte that is still on the way. */
const refused = new WeakSet<Duplex>();

function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex, report: ReportNoise): void {
  const { code = 'unknown' } = error;
  if (refused.has(socket)) return;
  if (code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  refused.add(socket);
  const [event, kind] = classify(code);
  report(event, code, peerOf(socket).ip);
  void answerInTurn(socket, new ScimError(kind, 'The request is not well-formed HTTP.'));
}

/** Else a write that still runs on this connection would be told as malformed. */
async function answerInTurn(socket: Duplex, error: ScimError): Promise<void> {
  await answersBefore(socket);
  if (!isAnsweredEarly(socket)) answerRaw(socket, error);
}

function classify(code: string): [event: string, kind: Kind] {
  if (code === 'HPE_HEADER_OVERFLOW') return ['proto.malformed', 'headers-too-large'];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return ['proto.timeout', 'body-timeout'];
  const framing = ['HPE_INVALID_TRANSFER_ENCODING', 'HPE_UNEXPECTED_CONTENT_LENGTH'];
  return [framing.includes(code) ? 'proto.ambiguous' : 'proto.malformed', 'bad-request'];
}

/** Writes an answer where there is no response object, and closes. */
function answerRaw(socket: Duplex, error: ScimError): void {
  if (!socket.writable) return;
  const { status, headers, body } = finish(toReply(error), crypto.randomUUID());
  const fields = { ...headers, 'content-length': String(body.length), connection: 'close' };
  const head = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${http.STATUS_CODES[status]}\r\n${head.join('')}\r\n${body.toString()}`);
  // What is still on the way is read and dropped, or the answer would be lost to a reset (RFC 9112 §9.6).
  socket.resume();
  const over = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(over));
}
