/** The page about the installation's security speaks the reader's language, whatever there is to tell. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { securityEnglish } from '../../src/console/api/security-words.ts';
import type { SecurityCheck } from '../../src/console/api/security.ts';
import { securityGerman } from '../../src/console/web/security-words-de.ts';
import { checksOf, settingChecks } from '../../src/gateway/security-checks.ts';
import { fileChecks, processChecks } from '../../src/gateway/security-process.ts';
import { changed, load } from '../support/configuration.ts';

const dangerous: readonly (readonly [option: string, word: string])[] = [
  ['--inspect', 'process.debugger'],
  ['--heap-prof', 'process.memory'],
  ['--abort-on-uncaught-exception', 'process.core'],
  ['--trace-tls', 'process.traffic'],
  ['--insecure-http-parser', 'process.http'],
  ['--tls-min-v1.0', 'process.tls'],
  ['--experimental-config-file=node.json', 'process.file'],
];
const variables = {
  SSLKEYLOGFILE: '/tmp/keys',
  NODE_DEBUG: 'http',
  DEBUG: 'ioredis:*',
  NODE_TLS_REJECT_UNAUTHORIZED: '0',
};

for (const [option, word] of dangerous)
  test(`${option} is told as a danger, wherever Node was given it`, () => {
    const NODE_OPTIONS = option;
    for (const [env, options] of [
      [{ NODE_OPTIONS }, []],
      [{}, [option]],
    ] as const) {
      const [found] = processChecks(env, options);
      assert.equal(found?.state, 'danger');
      assert.equal(found.words.detail, word);
      assert.ok(found.title.startsWith(option.split('=', 1)[0] ?? ''), found.title);
    }
  });

test('several options at once are checks of their own', () => {
  const options = dangerous.map(([option]) => option);
  const found = processChecks({ ...variables, NODE_OPTIONS: options.join(' ') }, options);
  assert.equal(new Set(found.map(({ id }) => id)).size, found.length);
  assert.equal(found.filter(({ state, id }) => state === 'danger' && id !== 'process.user').length, 18);
});

/** What is filled in comes from the configuration and the process: names, never a sentence of ours. */
function assertGerman({ id, words, values }: SecurityCheck): void {
  for (const word of Object.values(words)) {
    const inEnglish = securityEnglish[word].replaceAll(/\{\w+\}/g, '').trim();
    if (/[a-z]{3,} [a-z]/.test(inEnglish)) assert.notEqual(securityGerman[word], securityEnglish[word], word);
  }
  for (const [name, value] of Object.entries(values))
    assert.doesNotMatch(value, /[a-z]{3,} [a-z]{2,} [a-z]/, `${id}: ${name}`);
}

test('no text of a check is left in English where the page speaks German', () => {
  const config = load(changed({ audit: { mode: 'fail-closed-writes' } }));
  const ends = ['cert', 'secret'].map((kind) => ({
    kind: kind as 'cert' | 'secret',
    what: 'tenants.acme.credential',
    notAfter: Date.now() + 86_400_000,
    thresholds: [7],
  }));
  const checks = [
    ...checksOf(config, ends, [
      { path: '/etc/gatehouse/gatehouse.yaml', isDirectory: false },
      { path: '/etc/gatehouse', isDirectory: true },
    ]),
    ...fileChecks([]),
    ...processChecks(
      variables,
      dangerous.map(([option]) => option),
    ),
  ];
  assert.ok(checks.length > 25);
  for (const check of checks) assertGerman(check);
});

test('one local account is told as one, and no provider is spoken of that there is not', () => {
  const told = [1, 2, 3].map((count) => {
    const accounts = Object.fromEntries(
      Array.from({ length: count }, (_, at) => [`person-${at}`, { role: 'auditor' }]),
    );
    const console = { accounts, secretsFile: 'console.yaml', indexDirectory: 'index' };
    const config = load(changed({ admin: { port: 9090, console } }));
    return settingChecks(config).find(({ id }) => id === 'console.accounts')?.detail;
  });
  assert.deepEqual(told, ['There is one.', 'There are 2.', 'There are 3.']);
});
