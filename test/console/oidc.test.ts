/** Log-on with an identity provider, with a real one over HTTP that signs what it says. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { Session } from '../../src/console/api/session.ts';
import { Oidc } from '../../src/console/oidc.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { cookieOf, startConsole, type TestConsole } from '../support/console.ts';
import { startOidcProvider, type OidcProvider } from '../support/oidc-provider.ts';

let provider: OidcProvider;
let started: TestConsole;
const clientSecret = 'correct-horse-battery';

before(async () => {
  provider = await startOidcProvider('gatehouse-console', clientSecret);
  started = await startConsole({
    oidc: {
      issuer: provider.issuer,
      clientId: 'gatehouse-console',
      clientSecret: new Secret(clientSecret),
      claim: 'groups',
      roles: { auditor: ['auditors'], operator: ['operators'], administrator: ['admins'] },
    },
  });
});
after(async () => {
  await started[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

interface Way {
  /** Where the issuer sends the browser back to. */
  readonly back: string;
  /** The cookie of the log-on that is under way. */
  readonly attempt: string;
}

async function goToIssuer(then = ''): Promise<Way> {
  const left = await fetch(`${started.url}/console/log-on/oidc${then}`, { redirect: 'manual' });
  assert.equal(left.status, 303);
  const [set = ''] = left.headers.getSetCookie();
  assert.match(set, /^gatehouse-log-on=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=600$/);
  const authorised = await fetch(left.headers.get('location') ?? '', { redirect: 'manual' });
  return { back: authorised.headers.get('location') ?? '', attempt: set.split(';', 1)[0] ?? '' };
}

function comeBack({ back, attempt }: Way): Promise<Response> {
  return fetch(back, { redirect: 'manual', headers: { cookie: attempt, 'sec-fetch-site': 'cross-site' } });
}

async function sessionOf(response: Response): Promise<Session> {
  const reply = await fetch(`${started.url}/console/api/session`, {
    headers: { cookie: cookieOf(response) },
  });
  return (await reply.json()) as Session;
}

for (const [group, role] of [
  ['auditors', 'auditor'],
  ['operators', 'operator'],
  ['admins', 'administrator'],
])
  test(`whoever is in ${group} is ${role}`, async () => {
    provider.claims = { sub: 'person-1', preferred_username: 'audrey', groups: ['others', group] };
    const response = await comeBack(await goToIssuer());
    assert.equal(response.headers.get('location'), '/console/');
    assert.partialDeepStrictEqual(await sessionOf(response), { user: { name: 'audrey', role, by: 'oidc' } });
  });

test('code, state, nonce and PKCE are asked for', async () => {
  await goToIssuer();
  const asked = provider.requests.at(-1);
  assert.equal(asked?.get('response_type'), 'code');
  assert.equal(asked?.get('code_challenge_method'), 'S256');
  assert.match(asked?.get('code_challenge') ?? '', /^[\w-]{43}$/);
  for (const name of ['state', 'nonce']) assert.match(asked?.get(name) ?? '', /^[\w-]{20,}$/, name);
  assert.match(asked?.get('scope') ?? '', /openid/);
});

test('the log-on leads back to where the person wanted to go, within the console', async () => {
  provider.claims = { sub: 'person-1', groups: ['auditors'] };
  const response = await comeBack(await goToIssuer('?then=/console/audit?event=authz.*'));
  assert.equal(response.headers.get('location'), '/console/audit?event=authz.*');
});

for (const then of [
  'https://evil.example.com/',
  '//evil.example.com',
  '/console/../x',
  '/health/live',
  '/console/api/overview',
])
  test(`nobody is led to ${then} by a link`, async () => {
    provider.claims = { sub: 'person-1', groups: ['auditors'] };
    const response = await comeBack(await goToIssuer(`?then=${encodeURIComponent(then)}`));
    const led = new URL(response.headers.get('location') ?? '', started.url);
    assert.equal(led.origin, started.url);
    assert.match(led.pathname, /^\/console\/(?!api)/);
  });

interface Refusal {
  readonly what: string;
  readonly why: string;
  readonly attempt: () => Promise<Response>;
}

const refusals: readonly Refusal[] = [
  {
    what: 'somebody without a role',
    why: 'not-allowed',
    async attempt() {
      provider.claims = { sub: 'person-2', groups: ['others'] };
      return comeBack(await goToIssuer());
    },
  },
  {
    what: 'an answer in another browser',
    why: 'expired',
    attempt: async () => comeBack({ ...(await goToIssuer()), attempt: 'gatehouse-log-on=other' }),
  },
  {
    what: 'an answer with another state',
    why: 'failed',
    async attempt() {
      const way = await goToIssuer();
      const back = new URL(way.back);
      back.searchParams.set('state', 'other');
      return comeBack({ ...way, back: back.href });
    },
  },
  {
    what: 'a token for another log-on',
    why: 'failed',
    async attempt() {
      provider.nonce = 'other';
      return comeBack(await goToIssuer());
    },
  },
  {
    what: 'a token that the issuer has not signed',
    why: 'failed',
    async attempt() {
      provider.forges = true;
      return comeBack(await goToIssuer());
    },
  },
  {
    what: 'a code that nobody gave',
    why: 'failed',
    async attempt() {
      const way = await goToIssuer();
      const back = new URL(way.back);
      back.searchParams.set('code', 'guessed');
      return comeBack({ ...way, back: back.href });
    },
  },
];

for (const { what, why, attempt } of refusals)
  test(`${what} is refused as ${why}, and the trail says so`, async () => {
    provider.claims = { sub: 'person-1', groups: ['auditors'] };
    const response = await attempt();
    [provider.nonce, provider.forges] = [undefined, false];
    assert.equal(response.headers.get('location'), `/console/?refused=${why}`);
    assert.equal(cookieOf(response), '');
    await started.untilTold('console.log_on_refused', { by: 'oidc', reason: why });
  });

test('an answer counts once', async () => {
  provider.claims = { sub: 'person-1', groups: ['auditors'] };
  const way = await goToIssuer();
  assert.equal((await comeBack(way)).headers.get('location'), '/console/');
  assert.equal((await comeBack(way)).headers.get('location'), '/console/?refused=expired');
});

test('the trail names who has logged on, and what the issuer calls them', async () => {
  provider.claims = { sub: 'person-7', preferred_username: 'grace', groups: ['operators'] };
  await comeBack(await goToIssuer());
  const facts = { user: 'grace', subject: 'person-7', role: 'operator', by: 'oidc' };
  await started.untilTold('console.logged_on', facts);
});

for (const [what, claims] of Object.entries({
  'a list within a list': { groups: [['admins']] },
  'names of members': { groups: { admins: true } },
  'a list as one text': { groups: 'auditors,admins' },
  'the audience of somebody else': { groups: ['admins'], aud: 'other-client' },
  'another issuer': { groups: ['admins'], iss: 'https://login.example.com' },
  'an end that is over': { groups: ['admins'], exp: 1 },
}))
  test(`a token with ${what} gives no role`, async () => {
    provider.claims = { sub: 'person-1', ...claims };
    const response = await comeBack(await goToIssuer());
    assert.match(response.headers.get('location') ?? '', /^\/console\/\?refused=(?:failed|not-allowed)$/);
    assert.equal(cookieOf(response), '');
  });

test('what the issuer says of an error is not told on', async () => {
  const way = await goToIssuer();
  const back = new URL(way.back);
  back.searchParams.delete('code');
  back.searchParams.set('error', 'access_denied');
  back.searchParams.set('error_description', '<script>alert(1)</script>');
  const response = await comeBack({ ...way, back: back.href });
  assert.equal(response.headers.get('location'), '/console/?refused=failed');
  assert.doesNotMatch(await response.text(), /script/);
});

test('who begins without end ends nobody else’s log-on', async () => {
  const oidc = new Oidc({
    issuer: provider.issuer,
    clientId: 'gatehouse-console',
    scopes: ['openid'],
    claim: 'groups',
    roles: {},
    nameClaim: 'name',
    redirectUri: `${started.url}/console/log-on/callback`,
  });
  const { attempt } = await oidc.begin('/console/', '192.0.2.1');
  for (let at = 0; at < 1100; at += 1) await oidc.begin('/console/', '192.0.2.2');
  const url = new URL(`${started.url}/console/log-on/callback?code=guessed&state=other`);
  // Not `expired`: it is known, and the answer is wrong.
  await assert.rejects(oidc.finish(attempt, url), { why: 'failed' });
});
