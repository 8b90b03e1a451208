/**
 * Why the gateway answered with an error of its own: the rows of docs/errors.md in a sentence, with what to look at. Where a
 * kind has several causes that the trail does not tell apart, all are named.
 */
import type { Kind, Wait } from '../scim/error.ts';

/** What a call waited for in vain that was refused as `busy`. */
export const waitReasons: Readonly<Record<Wait, string>> = {
  'tenant-held':
    'an operator has paused the tenant for longer than the caller waits (operator.acted or console.acted in the trail)',
  'tenant-refusing':
    'the tenant had said 429, and for how long nobody may ask it lasts longer than the caller waits',
  'tenant-turn':
    'the quota of the tenant gives it a turn only after its patience, because of those before it or in front of it',
  'tenant-queue': 'as many calls wait for the tenant as may (tenants.<name>.pace.queue)',
  'system-turn': 'the system behind the tenant is asked slowly, because it had said 429',
  'system-queue': 'as many calls wait for the system behind the tenant as may; it had said 429',
  'caller-turn':
    'the technical user is at its own limits, and it would wait too long (callers.<name>.limits)',
  'caller-queue':
    'the technical user is at its own limits, and as many of its calls wait as may (callers.<name>.limits)',
  group: 'other writes of the group took longer than the caller waits (systems.<id>.lostUpdates)',
  'log-ons': 'as many secrets are being checked as can be at a time',
};

export const reasons: Readonly<Record<Kind, string>> = {
  'bad-request': 'the request cannot be read in one way only; nothing was forwarded',
  'invalid-syntax': 'the path, the query or the body is not clean',
  'invalid-filter': 'the filter is given twice, nested too deep, or too long',
  'invalid-path': 'a part of the bulk request names no resource',
  'invalid-value': 'a parameter is given twice or is no integer, or a page number could be an index',
  'unsupported-grant': 'tokens are given for client_credentials alone',
  'no-target': 'the PATCH names what is not there',
  'too-many': 'more than one resource matches, or the collection is larger than this caller can get',
  mutability: 'an attribute cannot be changed',
  unauthenticated: 'no technical user, or no valid secret or certificate of one',
  'invalid-token': 'the token is expired, replaced, bound to another certificate, or of no configured issuer',
  forbidden: 'no permission of the technical user covers it (callers.<name>.permissions)',
  'foreign-network': 'the technical user may not call from this address (callers.<name>.sourceNetworks)',
  'forbidden-attribute': 'it writes an attribute that is kept from the technical user (deniedAttributes)',
  sensitive: 'it filters or orders by what is kept from the technical user',
  held: "the guard holds it, because it is more than the ceiling: 'gatehouse guard list' has the hold",
  'not-found': 'no system of that id, or no such endpoint, is configured (systems); the tenant was not asked',
  'method-not-allowed': 'the path has no such method',
  'body-timeout': 'the body did not arrive in time (limits.bodyTime)',
  conflict: 'the resource is older than the request',
  'lost-update': 'it would take away members that others have added since its caller read the group',
  'still-running': 'the request with this Idempotency-Key is at work',
  'patch-not-mapped': 'Identity Provisioning would make an empty write of it',
  'precondition-failed': 'the resource has changed since it was read',
  'too-large': 'the body is over limits.body, or has too many parts',
  'target-too-long': 'the target is over limits.target',
  'unsupported-media': 'the body is no JSON in UTF-8, by its own word',
  'expectation-failed': 'it expects something else than 100-continue',
  misdirected: 'it names a host that is not the gateway’s (publicUrl, listen.hosts)',
  'key-reused': 'its Idempotency-Key belongs to another request',
  busy:
    'it got no turn within patience: the quota is spent, too many wait before it, an operator has paused the tenant ' +
    '(operator.acted in the trail), or the caller is at its own limits',
  throttled: 'too many log-ons failed, of this user, from this source or altogether',
  'headers-too-large': 'it has too many or too long header fields',
  'caller-left': 'the caller hung up before its answer',
  internal: 'a fault of the gateway; the log has it under the request id',
  'upstream-unreachable': "no connection to the tenant, so nothing was sent: 'gatehouse doctor'",
  'upstream-refused-us': "the tenant refused the gateway's credential: 'gatehouse doctor --read'",
  'upstream-broke': 'the answer of the tenant broke off, was too large, a redirect, or not SCIM',
  'audit-unavailable': 'the trail could not be written, so nothing was sent',
  'issuer-unreachable': 'the keys of the token’s issuer could not be fetched',
  'load-held': "the load misses more than the guard allows: 'gatehouse guard list' has the hold",
  draining: 'the gateway was ending',
  'http-version': 'it is of another version of HTTP',
  'upstream-timeout':
    'the tenant did not answer a read, or did not take the request, within its deadline (deadlines)',
  'outcome-unknown':
    'the write was sent, and no certain answer came within its deadline (deadlines.write): it may have been carried out',
};
