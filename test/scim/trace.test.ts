/** W3C Trace Context: what of a caller's trace may go on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { newSpan, readTrace, readTraceState, writeTrace } from '../../src/scim/trace.ts';

const id = '0af7651916cd43dd8448eb211c80319c';
const parent = 'b7ad6b7169203331';

test('a trace goes on with another span and the flag that has a meaning', () => {
  const trace = readTrace(`00-${id}-${parent}-ff`);
  assert.ok(trace);
  const span = newSpan();
  assert.match(span, /^[0-9a-f]{16}$/);
  assert.equal(writeTrace(trace, span), `00-${id}-${span}-01`);
});

test('a trace of a later version is read as far as it is known', () => {
  assert.deepEqual(readTrace(`cc-${id}-${parent}-00-what-comes`), { id, flags: '00' });
});

const invalid = [
  undefined,
  '',
  `00-${id}-${parent}`,
  `00-${id}-${parent}-01-more`,
  `ff-${id}-${parent}-01`,
  `00-${id.toUpperCase()}-${parent}-01`,
  `00-${'0'.repeat(32)}-${parent}-01`,
  `00-${id}-${'0'.repeat(16)}-01`,
  `00-${id}-${parent}-01\r\nx: y`,
  ` 00-${id}-${parent}-01`,
];

for (const text of invalid) {
  test(`${JSON.stringify(text)} is no trace`, () => {
    assert.equal(readTrace(text), undefined);
  });
}

test('the state of a trace goes on where it is well-formed', () => {
  assert.equal(
    readTraceState('rojo=00f067aa0ba902b7 , fw529a3039@dt=FfAz;1,'),
    'rojo=00f067aa0ba902b7,fw529a3039@dt=FfAz;1',
  );
});

const states = [
  '',
  'Rojo=1',
  'a',
  'a=1\r\nb',
  'a=ü',
  `a=${'x'.repeat(512)}`,
  Array.from({ length: 33 }, (_, n) => `a${n}=1`).join(),
];

for (const text of states) {
  test(`${JSON.stringify(text.slice(0, 20))} (${text.length}) is no state of a trace`, () => {
    assert.equal(readTraceState(text), undefined);
  });
}
