/**
 * The name that a caller gives to one request (draft-ietf-httpapi-idempotency-key-header §2.1): a string of RFC 9651, of
 * which callers also leave out the quotes. What is sent as a key is one, or the call is refused: it is never overlooked.
 */
import { ScimError } from '../scim/error.ts';

const longest = 255;
/** RFC 9651 §3.3.3, without the escapes that no key needs. */
const quoted = /^"([\x20\x21\x23-\x5b\x5d-\x7e]+)"$/;
const bare = /^[\w.:/+=~-]+$/;

export function readIdempotencyKey(field: string | undefined): string | undefined {
  if (field === undefined) return undefined;
  const text = field.trim();
  const key = quoted.exec(text)?.[1] ?? bare.exec(text)?.[0];
  if (key === undefined || key.length > longest)
    throw new ScimError('bad-request', `An Idempotency-Key is a string of 1 to ${longest} plain characters.`);
  return key;
}

/** As §2.7 has it of a key whose request has not ended. */
export function keyAtWork(): ScimError {
  return new ScimError('still-running', 'The request with this Idempotency-Key is still at work.', {
    retryAfter: 5,
  });
}

export function keyReused(): ScimError {
  return new ScimError('key-reused', 'This Idempotency-Key was used for another request.');
}
