/** The shape of the console on the administrative listener: who may log on and how. Same rules as config-schema.ts. */
import { z } from 'zod';

import type { DraftConfig, Refuse } from './config-draft.ts';
import { path, privatePath, secret, type References } from './config-references.ts';
import { duration, isLoopback, name, refuse, secureUrl } from './config-values.ts';

const roles = ['auditor', 'operator', 'administrator'] as const;

export const accountName = () => name('._-', 'name of an account');

export function console(references: References) {
  return z
    .strictObject({
      publicUrl: secureUrl()
        .optional()
        .describe(
          'The address under which browsers reach the console, without a path. May be left out when the administrative ' +
            'listener is on a loopback address.',
        ),
      accounts: z
        .record(
          accountName(),
          z.strictObject({ role: z.enum(roles).describe('`auditor`, `operator` or `administrator`.') }),
        )
        .default({})
        .describe(
          'Local accounts, for when the identity provider cannot be reached, by name. Each log-on with one is told in the trail.',
        ),
      secretsFile: privatePath(references)
        .prefault('../var/console-secrets.yaml')
        .describe(
          'File with the hashes of the local accounts’ secrets. `gatehouse secret new <account> --console` makes them.',
        ),
      oidc: oidc(references).optional().describe('Log-on with an identity provider (OpenID Connect).'),
      idle: duration({ min: '1m', max: '12h' })
        .prefault('15m')
        .describe('How long nobody may do anything before the session ends.'),
      lifetime: duration({ min: '5m', max: '24h' })
        .prefault('8h')
        .describe('How long a session lasts at most.'),
      indexDirectory: path(references)
        .prefault('../var/console')
        .describe(
          'Where the console keeps indexes of the trails, so that it finds records quickly. They can be removed at any time.',
        ),
    })
    .optional()
    .describe(
      'The console: a web page on the administrative listener. Default: none. See docs/console.md for its roles.',
    );
}

function oidc(references: References) {
  const values = (what: string) =>
    z.array(z.string().min(1)).default([]).describe(`Values of the claim that make an ${what}.`);
  return z.strictObject({
    issuer: issuer().describe('The issuer, exactly as it names itself; its metadata are found below it.'),
    clientId: z.string().min(1).describe('The console’s client id there.'),
    clientSecret: secret(references)
      .optional()
      .describe(
        'The client’s secret, as a reference. Without, the client is a public one; PKCE is used in any case.',
      ),
    scopes: z
      .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/))
      .default(['openid', 'profile'])
      .describe('What is asked for; `openid` is among it in any case.'),
    claim: z
      .string()
      .min(1)
      .default('groups')
      .describe('The claim of the ID token that tells the role; with dots, a member within claims.'),
    nameClaim: z
      .string()
      .min(1)
      .default('preferred_username')
      .describe('The claim that names the person on the page and in the trail; without it, `sub` does.'),
    roles: z
      .strictObject({
        auditor: values('auditor'),
        operator: values('operator'),
        administrator: values('administrator'),
      })
      .describe(
        'Which values of the claim give which role. Whoever has several gets the first of administrator, operator, auditor; ' +
          'whoever has none is refused.',
      ),
    label: z.string().min(1).max(60).default('Single sign-on').describe('The text of the button.'),
  });
}

/** It keeps a slash at its end, which belongs to the name. */
function issuer() {
  const error = 'must be an address such as https://login.example.com/tenant';
  return z
    .string({ error })
    .meta({ title: 'address' })
    .superRefine((text, ctx) => {
      const url = URL.parse(text);
      if (!url || url.username || url.password || url.search || url.hash) refuse(ctx, error);
      else if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname)))
        refuse(ctx, 'must be https', 'write https://; http is for addresses of this machine only');
    });
}

/** Sessions and secrets must not pass in plain text, and somebody must be able to log on. */
export function checkConsole(config: DraftConfig, refuseAt: Refuse): void {
  const { host, tls, console: settings } = config?.admin ?? {};
  if (!settings) return;
  const isOpen = typeof host === 'string' && !isLoopback(host);
  if (isOpen && !tls)
    refuseAt(
      ['admin', 'console'],
      `would be plain HTTP on ${host}`,
      'give admin.tls, or listen on 127.0.0.1',
    );
  if (isOpen && !settings.publicUrl)
    refuseAt(['admin', 'console', 'publicUrl'], 'is missing', 'write the https:// address that browsers use');
  const path = typeof settings.publicUrl === 'string' ? URL.parse(settings.publicUrl)?.pathname : '/';
  if (path !== '/')
    refuseAt(['admin', 'console', 'publicUrl'], 'has a path', 'write scheme, host and port only');
  if (Object.keys(settings.accounts ?? {}).length === 0 && !settings.oidc)
    refuseAt(['admin', 'console'], 'lets nobody log on', 'give oidc, or accounts');
}
