/** One notation for lengths of time: what the configuration takes, every argument takes as well, and days. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { timeIn } from '../../src/cli/audit-input.ts';
import { durationIn } from '../../src/cli/duration.ts';

test('a duration of the configuration is one of the command line, and so are days', () => {
  const given = ['250ms', '30s', '5m', '1h', '7d', '0d'].map(durationIn);
  assert.deepEqual(given, [250, 30_000, 300_000, 3_600_000, 604_800_000, 0]);
  for (const text of ['', '30', '-5m', '5 m', '1.5h', '1w', '9999999d', '1h30m'])
    assert.equal(durationIn(text), undefined, text);
});

test('a reader of the trail takes it for the time before now', () => {
  const before = Date.now() - 30_000;
  const at = timeIn('from', '30s', '') ?? 0;
  assert.ok(at >= before && at <= Date.now() - 30_000);
});
