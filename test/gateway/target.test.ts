import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { parseTarget } from '../../src/gateway/target.ts';
import { understand, type SystemFacts } from '../../src/scim/operation.ts';

const base = '/ipsproxy/service/api/v1/scim/s1';
const isOurs = (authority: string): boolean => authority === 'gw.example';
const parse = (raw: string) => parseTarget(raw, 4096, isOurs);

for (const [what, raw, segments] of [
  ['a plain path', `${base}/Users/42`, ['s1', 'Users', '42']],
  ['a trailing slash', `${base}/Users/`, ['s1', 'Users']],
  ['the doubled slash of host and path', `/${base}/Users`, ['s1', 'Users']],
  ['the doubled slash of serviceURL and system', '/ipsproxy/service/api/v1/scim//s1/Users', ['s1', 'Users']],
  ['the doubled slash of system and type', `${base}//Users`, ['s1', 'Users']],
  ['the older form', '/ipsproxy/api/v1/scim/s1//Users', ['s1', 'Users']],
  ['an id with encoded characters', `${base}/Users/M%C3%BCller%20x@y`, ['s1', 'Users', 'Müller x@y']],
  ['a filter as the URL Standard writes it', `${base}/Users?filter=a%20eq%20"{[|^\`\\"]}"`, ['s1', 'Users']],
  ['our own authority', `http://gw.example${base}/Users`, ['s1', 'Users']],
] as const)
  test(`accepts ${what}`, () => {
    assert.deepEqual(parse(raw).segments.slice(-segments.length), segments);
  });

for (const [kind, raw] of [
  ['invalid-syntax', `${base}/../s2/Users`],
  ['invalid-syntax', `${base}/./Users`],
  ['invalid-syntax', `${base}/%2e%2e/Users`],
  ['invalid-syntax', `${base}/.%2e/Users`],
  ['invalid-syntax', `${base}/..%2fUsers`],
  ['invalid-syntax', `${base}/Users%5cx`],
  ['invalid-syntax', `${base}\\Users`],
  ['invalid-syntax', `${base}/%252e%252e/Users`],
  ['invalid-syntax', `${base}/..;/Users`],
  ['invalid-syntax', `${base}/Users;jsessionid=1`],
  ['invalid-syntax', `${base}/Users%3bx`],
  ['invalid-syntax', '//evil.example/path'],
  ['invalid-syntax', `//${base}/Users`],
  ['invalid-syntax', `${base}/Users//1`],
  ['invalid-syntax', `${base}/Users/1//`],
  ['invalid-syntax', '/ipsproxy//service/api/v1/scim/s1/Users'],
  ['invalid-syntax', `${base}/Users/%00`],
  ['invalid-syntax', `${base}/Users/%0d%0aX:1`],
  ['invalid-syntax', `${base}/Users/%zz`],
  ['invalid-syntax', `${base}/Users/%c0%ae`],
  ['invalid-syntax', `${base}/Users/ü`],
  ['invalid-syntax', `${base}/Users#x`],
  ['invalid-syntax', `${base}/Users?a=b#x`],
  ['invalid-syntax', `${base}/Users?filter=%00`],
  ['invalid-syntax', '*'],
  ['invalid-syntax', 'Users'],
  ['misdirected', `http://169.254.169.254${base}/Users`],
  ['target-too-long', `${base}/${'x'.repeat(4096)}`],
  ['invalid-filter', `${base}/Users?filter=a&filter=b`],
  ['invalid-value', `${base}/Users?count=1&count=2`],
] as const)
  test(`refuses ${raw.slice(0, 60)} as ${kind}`, () => {
    assert.throws(() => parse(raw), { kind });
  });

test('writes a query anew in one order and keeps + and %2B apart', () => {
  const { query } = parse(`${base}/Users?startIndex=1&filter=a+eq+%22b%2Bc%22&x=%7e`);
  assert.equal(query.canonical, 'filter=a+eq+%22b%2Bc%22&startIndex=1&x=~');
  assert.equal(query.get('filter'), 'a eq "b+c"');
});

test('whatever is understood goes up below its own system only', () => {
  const system: SystemFacts = { id: 's1', tenant: 't', kind: 'scim', resourceTypes: ['Users'] };
  const piece = fc.oneof(
    fc.constantFrom(
      '..',
      '.',
      '%2e',
      '%2F',
      '%5C',
      '/',
      '\\',
      ';',
      '//',
      '#',
      '?',
      '%25',
      'Users',
      '%00',
      ' ',
    ),
    fc.string({ maxLength: 4 }),
  );
  const property = fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
    let path: string;
    try {
      const target = parse(`${base}/Users/${pieces.join('')}`);
      path = understand('GET', target, (id) => (id === 's1' ? system : undefined), 't').path;
    } catch {
      return;
    }
    assert.equal(new URL(`http://t/base${path}`).pathname, `/base${path}`);
    assert.match(path, /^\/Users(?:\/[^/?#\\]+)?$/);
  });
  fc.assert(property, { numRuns: 5000 });
});
