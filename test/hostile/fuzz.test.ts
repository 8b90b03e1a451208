/** A short run of the fuzzer with every run of the tests; CASES and SEED as in `npm run fuzz`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fuzz } from './fuzz.ts';

const cases = Number(process.env['CASES'] ?? 2500);
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

test(`${cases} generated requests crash nothing and leak nothing (seed ${seed})`, async (t) => {
  const { findings, ...report } = await fuzz({ cases, seed });
  t.diagnostic(JSON.stringify(report));
  assert.deepEqual(findings, []);
  assert.ok(report.arrived > cases / 20, 'enough of them were right');
  assert.ok(report.memory.most < report.memory.early + 200, 'memory stays bounded');
});
