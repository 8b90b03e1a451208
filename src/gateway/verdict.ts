/**
 * Judges what came back from a tenant: which replies may pass to a caller, and what the others mean.
 * The invariant is honesty about writes: only a reply that is certainly the service provider's own word is
 * passed on as success or failure; anything else after sending is unknown.
 */
import type { Reply } from '../scim/call.ts';
import { errorBody, ScimError } from '../scim/error.ts';
import { isJsonObject } from '../scim/json.ts';
import { isScimMedia, scimContentType } from '../scim/message.ts';
import type { Operation } from '../scim/operation.ts';
import type { NoReply } from './forward.ts';

/** What a load balancer says on its own, and then it does not know what became of a write behind it. */
const intermediate: ReadonlySet<number> = new Set([502, 503, 504]);

export function isIntermediate(status: number): boolean {
  return intermediate.has(status);
}

/** The reply that may travel on, or the error that it amounts to. */
export function judge(operation: Operation, reply: Reply): Reply | ScimError {
  try {
    return passable(operation, reply);
  } catch (thrown) {
    if (thrown instanceof ScimError) return thrown;
    throw thrown;
  }
}

function passable(operation: Operation, reply: Reply): Reply {
  const { status } = reply;
  if (status === 401 || (status === 403 && !readScimError(reply)))
    throw new ScimError('upstream-refused-us', "The tenant refused the gateway's own credential.");
  if (status >= 300 && status < 400) throw redirected(operation, status);
  // RFC 9110 §15: these are no status codes, and Node would refuse to write some of them.
  if (status < 200 || status > 599) throw notScim(operation, status);
  if (operation.api !== 'proxy') return reply;
  if (isIntermediate(status) && operation.effect === 'write' && !readScimError(reply)) throw unknownOutcome();
  if (reply.body.length === 0) return judgeEmpty(operation, reply);
  if (status === 204 || !isPlain(reply) || !isJsonObject(reply.body)) throw notScim(operation, status);
  return reply;
}

function redirected({ effect }: Operation, status: number): ScimError {
  // All but these two may follow upon a request that was carried out (RFC 9110 §15.4.4, §15.4.8).
  if (effect === 'write' && status !== 307 && status !== 308) return unknownOutcome();
  return new ScimError('upstream-broke', 'The tenant answered with a redirect, which is never followed.');
}

function judgeEmpty(operation: Operation, reply: Reply): Reply {
  const { status } = reply;
  if (status >= 400) {
    const detail = `The tenant answered with status ${status} and without an explanation.`;
    return {
      ...reply,
      headers: { ...reply.headers, 'content-type': scimContentType },
      body: errorBody(status, detail),
    };
  }
  if (operation.effect === 'read') throw notScim(operation, status);
  return reply;
}

function notScim({ effect }: Operation, status: number): ScimError {
  // Neither does a log-on page with status 200.
  if (effect === 'write' && (status < 400 || status >= 500)) return unknownOutcome();
  return new ScimError('upstream-broke', 'The tenant answered with something that is not SCIM.');
}

/** The tenant itself tries again at its backend after so long (facts: IPS 5.3). */
const retryAfterS = 30;

export function unknownOutcome(cause?: unknown): ScimError {
  return new ScimError(
    'outcome-unknown',
    'The outcome is unknown: the tenant may or may not have carried out this request. Read the resource before repeating it.',
    { cause, retryAfter: retryAfterS },
  );
}

/** What a missing reply means for the caller. */
export function judgeSilence({ effect }: Operation, fault: NoReply): ScimError {
  if (effect === 'write' && fault.sent) return unknownOutcome(fault);
  if (fault.timedOut) {
    const detail = fault.sent
      ? 'The tenant did not answer in time.'
      : 'The tenant could not be reached in time; the request was not sent.';
    return new ScimError('upstream-timeout', detail, { cause: fault });
  }
  if (!fault.sent)
    return new ScimError(
      'upstream-unreachable',
      'The tenant could not be reached; the request was not sent.',
      {
        cause: fault,
      },
    );
  return new ScimError('upstream-broke', "The tenant's answer broke off or was not valid.", { cause: fault });
}

/** A token that did not arrive fails the call that wanted it, before anything of that call was sent. */
export function judgeTokenSilence(fault: NoReply): ScimError {
  const kind = fault.timedOut ? 'upstream-timeout' : 'upstream-unreachable';
  return new ScimError(kind, "The tenant's token endpoint did not answer; the request was not sent.", {
    cause: fault,
  });
}

/**
 * Whether a 429 is the tenant's own, so that the request was not carried out and may be sent again.
 * A backend's 429 comes nested in the tenant's error text (facts: IPS error shape).
 */
export function isTenantBusy(reply: Reply): boolean {
  return reply.status === 429 && !/status(Code)?: ?\d/.test(readScimError(reply)?.detail ?? '');
}

/** Whether a 429 is the word of the system behind the tenant, and its tenant's alone to repeat. */
export function isBackendBusy(reply: Reply): boolean {
  return reply.status === 429 && !isTenantBusy(reply);
}

function isPlain({ headers }: Reply): boolean {
  const encoding = headers['content-encoding'] ?? 'identity';
  const media = headers['content-type'];
  return encoding.toLowerCase() === 'identity' && (media === undefined || isScimMedia(media));
}

/** No error text is longer; what is would cost more to read than it can say. */
const maxErrorBytes = 1024 * 1024;

function readScimError({ body }: Reply): { readonly detail: string } | undefined {
  if (body.length > maxErrorBytes || !isJsonObject(body)) return undefined;
  const { schemas, detail }: { schemas?: unknown; detail?: unknown } = JSON.parse(body.toString());
  if (!Array.isArray(schemas) || !schemas.includes('urn:ietf:params:scim:api:messages:2.0:Error'))
    return undefined;
  return { detail: typeof detail === 'string' ? detail : '' };
}
