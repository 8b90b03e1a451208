/** Whose tokens are taken is said in the configuration, so its faults are dangers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changed, faultsIn, load } from '../support/configuration.ts';

const company = {
  issuer: 'https://login.example.com',
  audience: ['gatehouse'],
  keys: { url: 'https://login.example.com/keys' },
  callers: { 'iag-production': 'sap-idm' },
};
const withIssuer = (changes: object, others: object = {}): object =>
  changed({ oauth: { issuers: { company: { ...company, ...changes }, ...others } } });

test('an issuer is complete with name, audience, keys and the callers that it may name', () => {
  const { oauth } = load(withIssuer({}));
  assert.equal(oauth.tokenLifetime, 600_000);
  assert.deepEqual(oauth.issuers['company'], {
    ...company,
    algorithms: ['RS256', 'PS256', 'ES256'],
    type: 'at+jwt',
    claim: 'client_id',
    certificateBound: 'optional',
  });
});

test('keys may come from a file', () => {
  const files = { 'jwks.json': { content: '{"keys":[{"kty":"RSA","n":"x","e":"AQAB"}]}' } };
  const { oauth } = load(withIssuer({ keys: { file: 'jwks.json' } }), { files });
  assert.deepEqual(oauth.issuers['company']?.keys, { jwks: { keys: [{ kty: 'RSA', n: 'x', e: 'AQAB' }] } });
});

for (const [what, document, fault] of [
  ['an algorithm with a shared secret', withIssuer({ algorithms: ['HS256'] }), /algorithms/],
  ['no signature', withIssuer({ algorithms: ['none'] }), /algorithms/],
  ['no algorithm', withIssuer({ algorithms: [] }), /algorithms/],
  [
    'keys over plain HTTP',
    withIssuer({ keys: { url: 'http://login.example.com/keys' } }),
    /keys.*must be https/,
  ],
  ['keys that are not there', withIssuer({ keys: { file: 'nowhere.json' } }), /keys.*no JSON Web Key Set/],
  ['no audience', withIssuer({ audience: [] }), /audience/],
  [
    'a caller that does not exist',
    withIssuer({ callers: { x: 'nobody' } }),
    /callers\.x: there is no caller nobody/,
  ],
  [
    'a binding to certificates that nobody can show',
    withIssuer({ certificateBound: 'required' }),
    /certificateBound: nobody can show a certificate/,
  ],
  ['an issuer twice', withIssuer({}, { other: company }), /other\.issuer: is the one of company/],
  ['a token that lives for a day', changed({ oauth: { tokenLifetime: '24h' } }), /tokenLifetime/],
] as const)
  test(`${what} is a fault`, () => {
    const faults = faultsIn(document);
    assert.equal(faults.length, 1, faults.join('\n'));
    assert.match(faults[0] ?? '', fault);
  });
