/**
 * The strict reader of `Authorization: Basic` (RFC 7617). What is read is exactly what was sent:
 * nothing is trimmed, repaired or normalised, so two different headers never become the same credential.
 */
import { ScimError } from '../scim/error.ts';

export interface Credentials {
  readonly user: string;
  readonly secret: string;
}

const maxUserBytes = 128;
const maxSecretBytes = 1024;
const basic = /^basic ([A-Za-z0-9+/]+={0,2})$/i;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function parseBasic(header: string | undefined): Credentials {
  const text = decode(basic.exec(header ?? '')?.[1]);
  const colon = text?.indexOf(':') ?? -1; // RFC 7617 §2: a user name has no colon, a secret may have many
  if (text === undefined || colon < 1) throw refusal();
  const credentials = credentialsOf(text.slice(0, colon), text.slice(colon + 1));
  if (!credentials) throw refusal();
  return credentials;
}

/** Undefined for what nobody could log on with. */
export function credentialsOf(user: string, secret: string): Credentials | undefined {
  const isName = user !== '' && !/\p{Cc}/u.test(user) && Buffer.byteLength(user) <= maxUserBytes;
  return isName && isAcceptable(secret) ? { user, secret } : undefined;
}

/** Whether a secret can be sent at all. */
export function isAcceptable(secret: string): boolean {
  return !/\p{Cc}/u.test(secret) && Buffer.byteLength(secret) <= maxSecretBytes;
}

function decode(base64: string | undefined): string | undefined {
  if (base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  // Node's decoder forgives missing padding and stray bits; only the one canonical spelling is a credential.
  if (bytes.toString('base64') !== base64) return undefined;
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined; // not UTF-8, which the challenge's charset asks for
  }
}

function refusal(): ScimError {
  return new ScimError('unauthenticated', 'A valid Authorization header is required.');
}
