/**
 * `POST /oauth2/token`: a technical user's secret or certificate against a short-lived token (RFC 6749 §4.4, RFC 8705),
 * on the path that the tenant has. What it throws is told in OAuth's words by `toOAuthReply`; no token is told before
 * its record is on disk. Who has shown a certificate gets a token that is worth nothing without it.
 */
import type { Call, Reply } from '../scim/call.ts';
import { ScimError, type Kind } from '../scim/error.ts';
import type { Target } from '../scim/target.ts';
import { checkSource } from './authorise.ts';
import type { IdentifiedCaller } from './caller.ts';
import { thumbprintOf, type CertificateLogOn } from './certificate.ts';
import { basicChallenge } from './challenge.ts';
import { credentialsOf, parseBasic, type Credentials } from './credentials.ts';
import type { LogOn } from './log-on.ts';
import type { Tokens } from './token.ts';

/** The steps of the line as far as they concern a token: who calls, and may they? */
export interface TokenEndpoint {
  identify(call: Call, target: Target): Promise<IdentifiedCaller>;
  grant(caller: IdentifiedCaller, call: Pick<Call, 'source' | 'certificate'>): Reply;
}

export interface TokenEndpointParts {
  readonly logOn: LogOn;
  readonly certificateLogOn: CertificateLogOn;
  readonly tokens: Tokens;
  readonly realm: string;
}

const maxBodyBytes = 8192;

export function isTokenEndpoint({ segments }: Target): boolean {
  return segments.join('/') === 'oauth2/token';
}

export function createTokenEndpoint(parts: TokenEndpointParts): TokenEndpoint {
  const { logOn, certificateLogOn, tokens, realm } = parts;
  const refusal = (): ScimError =>
    new ScimError('unauthenticated', 'A technical user and its secret are required.', {
      headers: { 'www-authenticate': basicChallenge(realm) },
    });
  return {
    async identify(call, { query }) {
      if (call.method !== 'POST')
        throw new ScimError('method-not-allowed', 'This path does not support the method.', {
          headers: { allow: 'POST' },
        });
      if (query.canonical !== '')
        throw malformed('The token endpoint takes its parameters in the body alone.');
      const parameters = await readForm(call);
      checkGrant(parameters.get('grant_type'));
      const certified = call.certificate && certificateLogOn(call.certificate);
      if (certified && isByCertificate(call, parameters, certified)) return certified;
      const credentials = readCredentials(call.headers['authorization'], parameters);
      const caller = credentials && (await logOn(credentials, call.source));
      // Nor somebody's secret with the certificate of somebody else.
      if (!caller || (certified && certified.name !== caller.name)) throw refusal();
      return caller;
    },
    grant(caller, { source, certificate }) {
      checkSource(caller, source);
      const { text, expiresInSeconds } = tokens.issue({
        user: caller.name,
        secret: caller.auth === 'basic' ? caller.credential : undefined,
        thumbprint: certificate && thumbprintOf(certificate),
      });
      return json(200, { access_token: text, token_type: 'Bearer', expires_in: expiresInSeconds });
    },
  };
}

/** RFC 8705 §2: the client names itself in the body, and shows nothing else. */
function isByCertificate(
  { headers }: Call,
  parameters: ReadonlyMap<string, string>,
  { name }: IdentifiedCaller,
): boolean {
  const hasSecret = headers['authorization'] !== undefined || parameters.has('client_secret');
  return !hasSecret && parameters.get('client_id') === name;
}

function checkGrant(type: string | undefined): void {
  if (type === undefined) throw malformed('The parameter grant_type is missing.');
  if (type !== 'client_credentials')
    throw new ScimError('unsupported-grant', 'The only grant type is client_credentials.');
}

async function readForm(call: Call): Promise<ReadonlyMap<string, string>> {
  const [media = '', ...parameters] = (call.headers['content-type'] ?? '').toLowerCase().split(';');
  const isPlain = (call.headers['content-encoding'] ?? 'identity') === 'identity';
  if (media.trim() !== 'application/x-www-form-urlencoded' || !isPlain || parameters.some(isOtherCharset))
    throw malformed('The body must be application/x-www-form-urlencoded in UTF-8.');
  return parseForm((await call.readBody(maxBodyBytes)).toString('latin1'));
}

const isOtherCharset = (parameter: string): boolean => !/^\s*charset="?utf-?8"?\s*$/.test(parameter);

/** RFC 6749 §3.2: a parameter that is given twice is refused, one that is not known is overlooked. */
function parseForm(text: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of text.split('&').filter(Boolean)) {
    const at = pair.includes('=') ? pair.indexOf('=') : pair.length;
    const name = decode(pair.slice(0, at));
    const value = decode(pair.slice(at + 1));
    if (name === undefined || value === undefined || parameters.has(name))
      throw malformed('The body is not a clean form, or has a parameter twice.');
    parameters.set(name, value);
  }
  return parameters;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined; // a broken escape, or bytes that are not UTF-8
  }
}

/** By the header or in the body, never both (RFC 6749 §2.3). Undefined for what nobody could log on with. */
function readCredentials(
  header: string | undefined,
  parameters: ReadonlyMap<string, string>,
): Credentials | undefined {
  const id = parameters.get('client_id');
  const secret = parameters.get('client_secret');
  if (header === undefined)
    return id !== undefined && secret !== undefined ? credentialsOf(id, secret) : undefined;
  const credentials = readHeader(header);
  if (secret !== undefined || (id !== undefined && id !== credentials?.user))
    throw malformed('The client authenticates in two ways.');
  return credentials;
}

/** RFC 6749 §2.3.1: form-encoded before they became a Basic credential. */
function readHeader(header: string): Credentials | undefined {
  try {
    const { user, secret } = parseBasic(header);
    return credentialsOf(decode(user) ?? '', decode(secret) ?? '');
  } catch {
    return undefined; // the one refusal; which rule was broken is not told
  }
}

function malformed(detail: string): ScimError {
  return new ScimError('bad-request', detail);
}

const errors: { readonly [kind in Kind]?: string } = {
  unauthenticated: 'invalid_client',
  'unsupported-grant': 'unsupported_grant_type',
  'foreign-network': 'unauthorized_client',
  throttled: 'temporarily_unavailable',
  busy: 'temporarily_unavailable',
};

/** RFC 6749 §5.2. */
export function toOAuthReply(error: ScimError): Reply {
  const code = errors[error.kind] ?? (error.status < 500 ? 'invalid_request' : 'server_error');
  return json(error.status, { error: code, error_description: error.message }, error.headers);
}

function json(status: number, content: object, headers: Reply['headers'] = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json;charset=UTF-8', pragma: 'no-cache', ...headers },
    body: Buffer.from(JSON.stringify(content)),
  };
}
