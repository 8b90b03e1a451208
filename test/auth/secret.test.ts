import assert from 'node:assert/strict';
import { hash as digest } from 'node:crypto';
import { test } from 'node:test';

import { hash } from '@node-rs/argon2';

import {
  generateSecret,
  hashSecret,
  isBroken,
  isGenerated,
  isSecretHash,
  verifyGenerated,
  verifySecret,
} from '../../src/auth/secret.ts';

test('a chosen secret is hashed with argon2id at the cost that OWASP recommends', async () => {
  const hashed = await hashSecret('gänse:blümchen');
  assert.match(hashed, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.ok(isSecretHash(hashed));
});

test('the hash verifies its secret and no other', async () => {
  const hashed = await hashSecret('gänse:blümchen');
  assert.equal(await verifySecret(hashed, 'gänse:blümchen'), true);
  assert.equal(await verifySecret(hashed, 'gänse'), false);
  assert.equal(await verifySecret(hashed, ''), false);
});

test('a generated secret has 256 bits behind a prefix that scanners find', () => {
  const secrets = new Set(Array.from({ length: 1000 }, generateSecret));
  assert.equal(secrets.size, 1000);
  for (const secret of secrets) assert.match(secret, /^gh_[\w-]{43}[0-9a-f]{8}$/);
});

test('the checksum is the CRC-32 of what stands before it, so that scanners can compute it', () => {
  const zeros = `gh_${'A'.repeat(43)}`;
  assert.ok(isGenerated(`${zeros}13eab74f`));
});

test('no single wrong character of a generated secret goes unnoticed', () => {
  const secret = generateSecret();
  assert.ok(isGenerated(secret) && !isBroken(secret));
  for (let at = 3; at < secret.length; at += 1) {
    const mistyped = secret.slice(0, at) + (secret[at] === 'a' ? 'b' : 'a') + secret.slice(at + 1);
    assert.ok(!isGenerated(mistyped) && isBroken(mistyped), mistyped);
  }
  assert.ok(isBroken(secret.slice(0, -1)) && isBroken(`${secret} `));
});

test('a generated secret is kept as its SHA-256, which verifies it and no other', async () => {
  const secret = generateSecret();
  const hashed = await hashSecret(secret);
  assert.match(hashed, /^sha256:[\w-]{43}$/);
  assert.ok(isSecretHash(hashed));
  assert.equal(verifyGenerated(hashed, secret), true);
  assert.equal(verifyGenerated(hashed, generateSecret()), false);
  assert.equal(verifyGenerated(hashed, ''), false);
});

test('a fast hash of a chosen secret verifies nothing, whoever wrote it into the file', async () => {
  const weak = `sha256:${digest('sha256', 'Spring2026!', 'base64url')}`;
  assert.ok(isSecretHash(weak));
  assert.equal(verifyGenerated(weak, 'Spring2026!'), false);
  assert.equal(await verifySecret(weak, 'Spring2026!'), false);
});

test('a hash of another cost or algorithm is not taken, as its time would tell its user', async () => {
  const others = [
    await hash('x', { memoryCost: 8192 }),
    await hash('x', { timeCost: 3 }),
    (await hashSecret('x')).replace('argon2id', 'argon2i'),
    '$2b$12$abcdefghijklmnopqrstuv',
    '$argon2id$v=19$m=19456,t=2,p=1$short$short',
    'sha256:short',
    `sha1:${'A'.repeat(43)}`,
    'secret',
    '',
  ];
  assert.deepEqual(others.filter(isSecretHash), []);
});
