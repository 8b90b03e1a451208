/** What differs between two readings of a file of secrets. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changesBetween } from '../../src/auth/secret-changes.ts';
import type { Entries } from '../../src/auth/secret-file.ts';
import { nameOf } from '../../src/auth/secret.ts';

const end = Date.UTC(2027, 0, 31, 12);
const at = (notAfter: number): string => new Date(notAfter).toISOString();

test('two readings that say the same differ in nothing, whatever their order and notes', () => {
  const before: Entries = new Map([['idm', [{ hash: 'one', note: 'old' }, { hash: 'two' }]]]);
  const after: Entries = new Map([['idm', [{ hash: 'two' }, { hash: 'one' }]]]);
  assert.deepEqual(changesBetween(before, after), []);
});

test('who comes, who goes and who stays is told by name, and a hash never', () => {
  const before: Entries = new Map([
    ['goes', [{ hash: 'one' }]],
    ['stays', [{ hash: 'two' }]],
  ]);
  const after: Entries = new Map([
    ['stays', [{ hash: 'two' }]],
    ['__proto__', [{ hash: 'three', notAfter: end }]],
  ]);
  assert.deepEqual(changesBetween(before, after), [
    { holder: 'goes', added: [], removed: [{ id: nameOf('one') }], moved: [] },
    { holder: '__proto__', added: [{ id: nameOf('three'), notAfter: at(end) }], removed: [], moved: [] },
  ]);
});

test('an end that comes, goes or moves is told with the one in force now', () => {
  const moved = (from: number | undefined, to: number | undefined): unknown => {
    const reading = (notAfter: number | undefined): Entries =>
      new Map([['idm', [{ hash: 'one', ...(notAfter !== undefined && { notAfter }) }]]]);
    return changesBetween(reading(from), reading(to))[0]?.moved;
  };
  assert.deepEqual(moved(undefined, end), [{ id: nameOf('one'), notAfter: at(end) }]);
  assert.deepEqual(moved(end, end + 1000), [{ id: nameOf('one'), notAfter: at(end + 1000) }]);
  assert.deepEqual(moved(end, undefined), [{ id: nameOf('one') }]);
});

test('a secret that is entered a second time without its end is one that ends never', () => {
  const before: Entries = new Map([['idm', [{ hash: 'one', notAfter: end }]]]);
  const after: Entries = new Map([['idm', [{ hash: 'one' }, { hash: 'one', notAfter: end }]]]);
  assert.deepEqual(changesBetween(before, after)[0]?.moved, [{ id: nameOf('one') }]);
});
