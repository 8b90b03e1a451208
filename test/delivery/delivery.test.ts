/** Destinations that change while the gateway runs. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { Delivery } from '../../src/delivery/delivery.ts';
import { GrowingTrail, instance } from './support.ts';

test('an end in the middle of a change of destinations is an end', async () => {
  await using trail = await GrowingTrail.begin();
  const settings = { type: 'file', format: 'native', events: ['*'], timeoutMs: 1000 } as const;
  const path = (name: string): string => join(trail.root, name);
  const to = (name: string) => new Map([['collector', { ...settings, path: path(name) }]]);
  const delivery = new Delivery({ directory: trail.root, instance, note: () => {} }, to('before'));
  const replaced = delivery.replace(to('after'));
  await trail.grow(3);
  await trail.close();
  await delivery[Symbol.asyncDispose]();
  await replaced;
  const lines = (await readFile(path('before'), 'utf8')).split('\n').filter(Boolean);
  assert.ok(lines.length >= (await trail.lines()).length);
  await assert.rejects(readFile(path('after')), { code: 'ENOENT' });
});
