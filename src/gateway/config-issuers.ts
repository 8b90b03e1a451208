/**
 * The shape of what concerns bearer tokens: the gateway's own, and the issuers whose tokens it takes. Which keys are
 * trusted is said here and nowhere else. Same rules as config-schema.ts.
 */
import { readFileSync } from 'node:fs';

import { z } from 'zod';

import { locate, readFrom, type References } from './config-references.ts';
import { duration, name, refuse, secureUrl } from './config-values.ts';

/** Signatures by a private key alone: a key that verifies must not be one that signs. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const;

const issuerName = () => name('-', 'name of an issuer');

export function oauth(references: References, callerName: () => z.ZodString) {
  return z
    .strictObject({
      tokenLifetime: duration({ min: '1m', max: '1h' })
        .prefault('10m')
        .describe(
          'How long a token lasts that `POST /oauth2/token` gives. It ends with its secret or certificate in any case.',
        ),
      issuers: z
        .record(issuerName(), issuer(references, callerName))
        .default({})
        .describe('Other issuers whose bearer tokens (JWT) callers may show, by a name of your choice.'),
    })
    .prefault({})
    .describe('Callers with OAuth 2.0.');
}

function issuer(references: References, callerName: () => z.ZodString) {
  return z.strictObject({
    issuer: z.string().min(1).describe('The `iss` of its tokens, exactly as it stands there.'),
    audience: z
      .array(z.string().min(1))
      .min(1)
      .describe('Values of `aud` that mean this gateway; a token needs one of them.'),
    keys: keys(references),
    algorithms: z
      .array(z.enum(algorithms))
      .min(1)
      .default(['RS256', 'PS256', 'ES256'])
      .describe('Algorithms that its signatures may have.'),
    type: z
      .enum(['at+jwt', 'JWT'])
      .default('at+jwt')
      .describe(
        'The `typ` of its tokens. `JWT` only for an issuer that does not tell access tokens from others.',
      ),
    certificateBound: z
      .enum(['required', 'optional'])
      .default('optional')
      .describe(
        'Whether its tokens must be bound to the certificate that their caller shows (`cnf` with `x5t#S256`, RFC 8705). ' +
          'One that is bound is worth nothing without it in any case.',
      ),
    claim: z.string().min(1).default('client_id').describe('The claim that names the caller.'),
    callers: z
      .record(z.string().min(1), callerName())
      .describe('Values of the claim, and the technical user that each stands for.'),
  });
}

/** From the configuration alone; what a token says of its keys leads nowhere. */
function keys(references: References) {
  const file = z.strictObject({
    file: z.string().min(1).describe('Path of a JSON Web Key Set with public keys, read at the start.'),
  });
  const url = z.strictObject({
    url: secureUrl().describe(
      'Address of its JSON Web Key Set; fetched when needed, at most every 30 seconds.',
    ),
  });
  return z
    .union([file, url])
    .describe('Its public keys.')
    .transform((value, ctx) => {
      if ('url' in value) return value;
      const path = locate(references, value.file);
      const jwks = readKeySet(path);
      if (!jwks) refuse(ctx, `${path} holds no JSON Web Key Set`, 'give a file with {"keys":[…]}');
      return readFrom(path, { jwks: jwks ?? { keys: [] } });
    });
}

const keySet = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });

function readKeySet(path: string) {
  try {
    return keySet.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined; // not there, not JSON or no key set; the fault names the path
  }
}
