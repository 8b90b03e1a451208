/**
 * Reads and checks the body of a call, after the caller was authorised and before a turn is taken, so that
 * strangers cannot make the gateway buffer and a slow uploader cannot hold a turn.
 * The bytes that were checked are the bytes that go up.
 */
import type { Call } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import { checkJson } from '../scim/json.ts';
import { isScimMedia } from '../scim/message.ts';
import type { Operation, OperationKind } from '../scim/operation.ts';

export interface BodyLimits {
  readonly maxBytes: number;
  readonly maxTokens: number;
  readonly maxDepth: number;
}

type Expectation = 'required' | 'optional' | 'none';
const expectations: Readonly<Record<OperationKind, Expectation>> = {
  probe: 'none',
  list: 'none',
  get: 'none',
  discover: 'none',
  delete: 'none',
  'job-log': 'none',
  search: 'required',
  create: 'required',
  replace: 'required',
  patch: 'required',
  bulk: 'required',
  'start-job': 'optional',
  notify: 'optional',
};

export async function readBody(
  call: Call,
  operation: Operation,
  limits: BodyLimits,
): Promise<Buffer | undefined> {
  const { headers, method } = call;
  // A search over all types has two forms: a GET of the base and a POST to `.search` (RFC 7644 §3.4.3).
  const expected = method === 'GET' ? 'none' : expectations[operation.kind];
  const announced = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (expected === 'none') {
    if (announced) throw new ScimError('bad-request', 'A request of this kind has no body.');
    return undefined;
  }
  if (!announced && expected === 'optional') return Buffer.alloc(0);
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity')
    throw new ScimError('unsupported-media', 'The body must not be compressed.');
  if (!isScimMedia(headers['content-type']))
    throw new ScimError(
      'unsupported-media',
      'The body must be application/scim+json or application/json in UTF-8.',
    );
  if (Number(headers['content-length'] ?? 0) > limits.maxBytes)
    throw new ScimError('too-large', `The body is larger than ${limits.maxBytes} bytes.`);
  const body = await call.readBody(limits.maxBytes);
  checkJson(body, limits);
  return body;
}
