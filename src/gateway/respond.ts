/**
 * The one writer of answers: a hit, a miss and a refusal leave by this door and look alike.
 * Nothing a caller sees tells which it was but `Age` and `Cache-Status`.
 */
import type { ServerResponse } from 'node:http';

import type { Reply } from '../scim/call.ts';
import { kinds, ScimError } from '../scim/error.ts';
import { scimContentType } from '../scim/message.ts';

/** Any thrown value as an answer; what is not a ScimError is told as `internal` and nothing more. */
export function toReply(error: ScimError): Reply {
  return {
    status: error.status,
    headers: { 'content-type': scimContentType, ...error.headers },
    body: error.toBody(),
  };
}

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

export function respond(response: ServerResponse, { status, headers, body }: Reply): void {
  if (status === kinds['caller-left'].status || response.destroyed) return;
  // A body that was not read to its end would be taken for the next request on this connection.
  if (!response.req.complete || status === kinds['headers-too-large'].status)
    response.shouldKeepAlive = false;
  const bodyless = status === 204 || status === 304;
  response.writeHead(status, {
    ...Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
    ...(!bodyless && { 'content-length': body.length }),
  });
  response.end(bodyless ? undefined : body);
}
