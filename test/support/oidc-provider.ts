/** A small OpenID provider over HTTP: discovery, authorization code with PKCE, tokens, keys. Who logs on is the test's choice. */
import { hash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface OidcProvider extends AsyncDisposable {
  readonly issuer: string;
  /** The claims of whoever logs on next; they win over those that the provider sets. */
  claims: Record<string, unknown>;
  /** Takes the place of the nonce that was asked for. */
  nonce: string | undefined;
  /** Signs with a key that nobody knows. */
  forges: boolean;
  /** Authorization requests, as they came. */
  readonly requests: readonly URLSearchParams[];
}

interface Grant {
  readonly challenge: string;
  readonly nonce: string;
  readonly redirectUri: string;
}

export async function startOidcProvider(clientId: string, clientSecret: string): Promise<OidcProvider> {
  const own = await generateKeyPair('ES256');
  const foreign = await generateKeyPair('ES256');
  const grants = new Map<string, Grant>();
  const requests: URLSearchParams[] = [];
  const server = http.createServer((request, response) => {
    const url = new URL(request.url ?? '/', provider.issuer);
    const json = (content: unknown, status = 200): void =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(content));
    const authorize = (): void => {
      requests.push(url.searchParams);
      const code = randomUUID();
      const back = new URL(url.searchParams.get('redirect_uri') ?? '');
      grants.set(code, {
        challenge: url.searchParams.get('code_challenge') ?? '',
        nonce: url.searchParams.get('nonce') ?? '',
        redirectUri: back.href,
      });
      back.searchParams.set('code', code);
      back.searchParams.set('state', url.searchParams.get('state') ?? '');
      response.writeHead(302, { location: back.href }).end();
    };
    const token = async (): Promise<void> => {
      const form = new URLSearchParams(await text(request));
      const grant = grants.get(form.get('code') ?? '');
      grants.delete(form.get('code') ?? '');
      const verifier = hash('sha256', form.get('code_verifier') ?? '', 'base64url');
      const isRight =
        form.get('client_id') === clientId &&
        form.get('client_secret') === clientSecret &&
        grant?.challenge === verifier &&
        grant.redirectUri === form.get('redirect_uri');
      if (!isRight) return json({ error: 'invalid_grant' }, 400);
      const now = Math.floor(Date.now() / 1000);
      const registered = { iss: provider.issuer, aud: clientId, iat: now, exp: now + 60 };
      const nonce = provider.nonce ?? grant.nonce;
      const idToken = await new SignJWT({ ...registered, ...provider.claims, nonce })
        .setProtectedHeader({ alg: 'ES256', kid: 'own' })
        .sign((provider.forges ? foreign : own).privateKey);
      json({ access_token: randomUUID(), token_type: 'Bearer', id_token: idToken });
    };
    const keys = async (): Promise<void> =>
      json({ keys: [{ ...(await exportJWK(own.publicKey)), kid: 'own', alg: 'ES256', use: 'sig' }] });
    const answers: Readonly<Record<string, () => unknown>> = {
      '/.well-known/openid-configuration': () =>
        json({
          issuer: provider.issuer,
          authorization_endpoint: `${provider.issuer}/authorize`,
          token_endpoint: `${provider.issuer}/token`,
          jwks_uri: `${provider.issuer}/keys`,
          response_types_supported: ['code'],
          subject_types_supported: ['public'],
          id_token_signing_alg_values_supported: ['ES256'],
          code_challenge_methods_supported: ['S256'],
        }),
      '/authorize': authorize,
      '/token': token,
      '/keys': keys,
    };
    const answer = answers[url.pathname];
    if (answer) void answer();
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const provider: OidcProvider = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    claims: { sub: 'person-1', preferred_username: 'audrey', groups: ['auditors'] },
    nonce: undefined,
    forges: false,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await server[Symbol.asyncDispose]();
    },
  };
  return provider;
}
