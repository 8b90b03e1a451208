import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hash } from '@node-rs/argon2';

import { generateSecret, hashSecret, isSecretHash, verifySecret } from '../../src/auth/secret.ts';

test('a secret is hashed with argon2id at the cost that OWASP recommends', async () => {
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
  for (const secret of secrets) assert.match(secret, /^gh_[\w-]{43}$/);
});

test('a hash of another cost or algorithm is not taken, as its time would tell its user', async () => {
  const others = [
    await hash('x', { memoryCost: 8192 }),
    await hash('x', { timeCost: 3 }),
    (await hashSecret('x')).replace('argon2id', 'argon2i'),
    '$2b$12$abcdefghijklmnopqrstuv',
    '$argon2id$v=19$m=19456,t=2,p=1$short$short',
    'secret',
    '',
  ];
  assert.deepEqual(others.filter(isSecretHash), []);
});
