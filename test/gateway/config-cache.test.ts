/** What the configuration may say of remembered replies, Redis and the keys that they are sealed with there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { sealingKeys } from '../../src/gateway/config-cache.ts';
import { changesBetween, refuseFixed } from '../../src/gateway/config-changes.ts';
import type { Config } from '../../src/gateway/config.ts';
import { faultsIn, load, soundDocument, type Surroundings } from '../support/configuration.ts';

const env = { ACME_SECRET: 'correct-horse-battery', REDIS_PASSWORD: 'correct-horse-battery' };
const password = { env: 'REDIS_PASSWORD' };
const [first, second] = ['ab'.repeat(32), 'CD'.repeat(32)];

const withKeys = (content: string): [unknown, Surroundings] => [
  { ...soundDocument(), cache: { keys: { file: 'keys' } } },
  { env, files: { keys: { content, mode: 0o600 } } },
];
const withRedis = (redis: unknown): [unknown, Surroundings] => [
  { ...soundDocument(), cache: { store: 'redis', redis } },
  { env },
];
const read = ([document, surroundings]: [unknown, Surroundings]): Config => load(document, surroundings);

test('keys are taken from the top, without what is said about them', () => {
  const { cache } = read(withKeys(`# since November\n${first}\n\n  ${second} \n`));
  const keys = sealingKeys(cache, Buffer.alloc(32)).map((key) => key.toString('hex'));
  assert.deepEqual(keys, [first, second.toLowerCase()]);
});

test('other keys come into force while calls run, and are not shown', () => {
  const [before, after] = [read(withKeys(first)), read(withKeys(`${second}\n${first}`))];
  const changes = changesBetween(before, after);
  assert.deepEqual(changes, [{ setting: 'cache.keys', old: '***', new: '***' }]);
  refuseFixed(changes, 'the new configuration');
});

for (const content of [`${first}ff`, 'not a key', `${first}\n${first.slice(2)}`, '# none yet'])
  test(`refuses keys that are ${JSON.stringify(content)}`, () => {
    assert.match(faultsIn(...withKeys(content)).join('\n'), /^cache\.keys: must hold one key in each line/);
  });

test('Sentinels and nodes are given by host and port', () => {
  const { redis } = read(
    withRedis({ sentinels: ['s-1.example.com:26379', '[::1]:26380'], master: 'gatehouse' }),
  ).cache;
  assert.deepEqual(redis?.sentinels, [
    { host: 's-1.example.com', port: 26379 },
    { host: '::1', port: 26380 },
  ]);
});

for (const [redis, fault] of [
  [{}, /^cache\.redis: names no server/],
  [{ url: 'redis://r', cluster: ['r:1'] }, /^cache\.redis: url and cluster exclude each other/],
  [{ sentinels: ['s:1'] }, /^cache\.redis\.master: is missing/],
  [{ cluster: ['r:1'], master: 'm' }, /^cache\.redis\.master: has no meaning without sentinels/],
  [{ cluster: ['r:1'], sentinelPassword: password }, /^cache\.redis\.sentinelPassword: has no meaning/],
  [{ url: 'redis://r', password }, /^cache\.redis\.password: has no meaning without sentinels or cluster/],
  [{ cluster: ['r:1'], password: 'plain' }, /^cache\.redis\.password: must be a reference/],
  [{ cluster: [] }, /^cache\.redis\.cluster: /],
  ...['r', 'r:', 'redis://r:1', 'r:1/0', 'u:p@r:1', 'r:99999', ''].map(
    (address) =>
      [{ cluster: [address] }, /^cache\.redis\.cluster\[?\.?0\]?: must be a host with its port/] as const,
  ),
] as const)
  test(`refuses Redis as ${JSON.stringify(redis)}, and finds nothing else`, () => {
    const faults = faultsIn(...withRedis(redis));
    assert.match(faults[0] ?? '', fault);
    assert.equal(faults.length, 1, faults.join('\n'));
  });
