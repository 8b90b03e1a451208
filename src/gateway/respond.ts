/**
 * The one writer of answers: a hit, a miss and a refusal leave by this door and look alike.
 * Nothing a caller sees tells which it was but `Age` and `Cache-Status`.
 */
import type { ServerResponse } from 'node:http';

import type { Reply } from '../scim/call.ts';
import { kinds, ScimError } from '../scim/error.ts';
import { scimContentType } from '../scim/message.ts';
import { isFollowed } from './connection.ts';

/** A refusal in SCIM's words. */
export function toReply(error: ScimError): Reply {
  return {
    status: error.status,
    headers: { 'content-type': scimContentType, ...error.headers },
    body: error.toBody(),
  };
}

/** Of any thrown value: what is no ScimError is told as `internal` and nothing more. */
export function asScimError(thrown: unknown): ScimError {
  if (thrown instanceof ScimError) return thrown;
  return new ScimError('internal', 'The gateway failed to serve this request. Its log has the reason.', {
    cause: thrown,
  });
}

/** Header fields that every answer carries. */
export function finish(reply: Reply, requestId: string): Reply {
  return {
    ...reply,
    headers: {
      ...reply.headers,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-request-id': requestId,
    },
  };
}

/** Whoever sent too much or too slowly begins anew. */
const overdone: ReadonlySet<number> = new Set([
  kinds['body-timeout'].status,
  kinds['too-large'].status,
  kinds['headers-too-large'].status,
]);
/** How long a caller that is still sending may take to notice the answer. */
export const lingerMs = 1000;

export function respond(response: ServerResponse, { status, headers, body }: Reply): void {
  if (status === kinds['caller-left'].status || response.destroyed) return;
  const { complete } = response.req;
  // A body that was not read to its end would be taken for the next request on this connection, and what
  // was sent behind a refused request may have been meant as its part.
  if (!complete || overdone.has(status) || (status >= 400 && isFollowed(response)))
    response.shouldKeepAlive = false;
  const bodyless = status === 204 || status === 304;
  response.writeHead(status, {
    ...Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
    ...(!bodyless && { 'content-length': body.length }),
  });
  if (!bodyless) response.write(body);
  if (complete) response.end();
  else linger(response);
}

/**
 * A connection that is closed while its caller still sends is reset, and the reset may overtake the answer
 * (RFC 9112 §9.6). So the rest is read and dropped for a while.
 */
function linger(response: ServerResponse): void {
  const { req: request } = response;
  const over = setTimeout(() => response.end(), lingerMs);
  request.once('close', () => {
    clearTimeout(over);
    response.end();
  });
  request.resume();
}
