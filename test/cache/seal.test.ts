import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createNaming, type EntryName } from '../../src/cache/key.ts';
import { Sealer } from '../../src/cache/seal.ts';
import { defaults, operation } from './operations.ts';

const naming = createNaming(Buffer.alloc(32, 7));
const nameOf = (target: string, change: Partial<typeof defaults> = {}, system = 'hr'): EntryName =>
  naming.entryOf(operation('GET', target, system), { ...defaults, ...change });

const [old, next, third] = [1, 2, 3].map((fill) => Buffer.alloc(32, fill)) as [Buffer, Buffer, Buffer];
const name = nameOf('Users/1');
const plain = [Buffer.from('Ada '), Buffer.from('Lovelace')];

test('what was sealed opens, on every replica with the key', () => {
  const sealed = new Sealer([old]).close(name, plain);
  assert.equal(String(new Sealer([old]).open(name, sealed)), 'Ada Lovelace');
  assert.equal(sealed.includes('Ada'), false);
});

test('the same value is never sealed to the same bytes', () => {
  const sealer = new Sealer([old]);
  const some = Array.from({ length: 100 }, () => sealer.close(name, plain).toString('hex'));
  assert.equal(new Set(some).size, 100);
});

for (const [what, other] of [
  ['resource', nameOf('Users/2')],
  ['system', nameOf('Users/1', {}, 'finance')],
  ['caller', nameOf('Users/1', { scope: 'iag' })],
  ['place at the tenant', nameOf('Users/1', { origin: 'https://other/hr' })],
  ['meaning, should its key ever be the same', { ...name, meaning: nameOf('Users/2').meaning }],
] as const)
  test(`a value that is moved to another ${what} does not open`, () => {
    const sealer = new Sealer([old]);
    assert.equal(sealer.open(other, sealer.close(name, plain)), undefined);
  });

test('a value does not open when any bit of it was changed, or when it was cut', () => {
  const sealer = new Sealer([old]);
  const sealed = sealer.close(name, plain);
  for (let bit = 0; bit < sealed.length * 8; bit += 1) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    assert.equal(sealer.open(name, changed), undefined, `bit ${bit}`);
  }
  for (let length = 0; length < sealed.length; length += 1)
    assert.equal(sealer.open(name, sealed.subarray(0, length)), undefined, `${length} bytes`);
});

test('every day has its own key, and what was sealed yesterday still opens', () => {
  const day = 86_400_000;
  let now = 20_000 * day;
  const sealer = new Sealer([old], () => now);
  const sealed = sealer.close(name, plain);
  now += day;
  assert.equal(String(sealer.open(name, sealed)), 'Ada Lovelace');
  const redated = Buffer.from(sealed);
  redated.writeUInt32BE(20_001, 5);
  assert.equal(sealer.open(name, redated), undefined);
});

test('the newest key seals, older ones open, and one that is gone opens nothing', () => {
  const before = new Sealer([old]).close(name, plain);
  const sealer = new Sealer([next, old]);
  const after = sealer.close(name, plain);
  assert.equal(String(sealer.open(name, before)), 'Ada Lovelace');
  assert.equal(new Sealer([old]).open(name, after), undefined);
  assert.equal(String(new Sealer([old, next]).open(name, after)), 'Ada Lovelace');
  sealer.adopt([third, next]);
  assert.equal(sealer.open(name, before), undefined);
  assert.equal(String(sealer.open(name, after)), 'Ada Lovelace');
});
