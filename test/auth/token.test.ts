import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Tokens } from '../../src/auth/token.ts';

const key = Buffer.alloc(32, 1);
const clock = { now: Date.UTC(2026, 10, 21) };
const tokens = new Tokens({ key, lifetimeMs: 600_000, now: () => clock.now });
const claims = { user: 'idm@company', secret: 'first', thumbprint: 'fZ5akMNE' };

test('a token says who logged on with what, to every holder of the key', () => {
  const { text, expiresInSeconds } = tokens.issue(claims);
  assert.equal(expiresInSeconds, 600);
  assert.match(text, /^gt_[\w.-]+$/);
  assert.ok(tokens.isOurs(text));
  const replica = new Tokens({ key, lifetimeMs: 60_000, now: () => clock.now });
  assert.deepEqual(replica.verify(text), claims);
});

test('no two tokens are equal', () => {
  assert.notEqual(tokens.issue(claims).text, tokens.issue(claims).text);
});

test('a token ends with its lifetime', () => {
  const { text } = tokens.issue(claims);
  clock.now += 599_999;
  assert.deepEqual(tokens.verify(text), claims);
  clock.now += 1;
  assert.equal(tokens.verify(text), undefined);
});

test('a token under another key is nobody’s', () => {
  const other = new Tokens({ key: Buffer.alloc(32, 2), lifetimeMs: 600_000, now: () => clock.now });
  assert.equal(tokens.verify(other.issue(claims).text), undefined);
});

test('a token with any character changed is nobody’s', () => {
  const { text } = tokens.issue(claims);
  // The last one is left out: four of its bits are all that the signature has there.
  for (let at = 0; at < text.length - 1; at += 1) {
    const changed = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
    assert.equal(tokens.verify(changed), undefined, changed);
  }
});

for (const text of [
  '',
  'gt_',
  'gt_.',
  `gt_.${'A'.repeat(43)}`,
  'gt_e30',
  `gt_bm8.${'A'.repeat(43)}`,
  'x'.repeat(9000),
])
  test(`${JSON.stringify(text.slice(0, 20))} is no token and no error`, () => {
    assert.equal(tokens.verify(text), undefined);
  });
