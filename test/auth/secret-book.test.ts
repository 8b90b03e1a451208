import assert from 'node:assert/strict';
import { mkdir, mkdtempDisposable, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { openSecretBook, type SecretBook, type SecretBookOptions } from '../../src/auth/secret-book.ts';
import { generateSecret, hashSecret, verifySecret } from '../../src/auth/secret.ts';
import { ScimError } from '../../src/scim/error.ts';

const old = await hashSecret('old:gänse');
const young = await hashSecret('young');
const machine = generateSecret();
const fast = await hashSecret(machine);
const entry = (user: string, ...hashes: string[]): string =>
  `${user}:\n${hashes.map((hash) => `  - hash: ${hash}\n`).join('')}`;

const free = { charge: async () => {}, succeed: () => {}, fail: () => {}, refund: () => {} };

/** A book whose attempts nobody counts. */
function unthrottled(book: SecretBook) {
  const verify = async (user: string, secret: string): Promise<boolean> =>
    (await book.verify(user, secret, free)) !== undefined;
  return { ...book, verify };
}
type UnthrottledBook = ReturnType<typeof unthrottled>;

/** A book on a real file, with the number of slow comparisons. */
async function open(text: string, options: SecretBookOptions = {}) {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-book-'));
  const file = join(directory.path, 'secrets.yaml');
  await writeFile(file, text);
  const count = { comparisons: 0 };
  const compare: typeof verifySecret = (hash, secret) => {
    count.comparisons += 1;
    return verifySecret(hash, secret);
  };
  const book = await openSecretBook(file, { compare, ...options });
  const replace = async (next: string): Promise<void> => {
    await writeFile(`${file}.next`, next);
    await rename(`${file}.next`, file);
  };
  const close = async (): Promise<void> => {
    book[Symbol.dispose]();
    await directory.remove();
  };
  return { book: unthrottled(book), throttled: book, file, count, replace, [Symbol.asyncDispose]: close };
}

async function until(holds: () => Promise<boolean> | boolean, withinMs: number): Promise<boolean> {
  const end = performance.now() + withinMs;
  while (performance.now() < end) {
    if (await holds()) return true;
    await sleep(20);
  }
  return false;
}

test('the right secret is verified, whole, with its colons and umlauts', async () => {
  await using opened = await open(entry('idm', old));
  assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
  assert.equal(await opened.book.verify('idm', 'old'), false);
  assert.equal(await opened.book.verify('idm', 'old:gänse:anything'), false);
  assert.equal(await opened.book.verify('IDM', 'old:gänse'), false);
});

for (const user of ['__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])
  test(`nobody is called ${JSON.stringify(user)} (row 55)`, async () => {
    await using opened = await open(entry('idm', old));
    assert.equal(await opened.book.verify(user, 'old:gänse'), false);
    assert.equal(opened.count.comparisons, 1);
  });

test('two secrets are valid while one replaces the other', async () => {
  await using opened = await open(entry('idm', old, young));
  assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
  assert.equal(await opened.book.verify('idm', 'young'), true);
});

test('a hundred parallel first requests cost one comparison (row 57)', async () => {
  await using opened = await open(entry('idm', old));
  const answers = await Promise.all(
    Array.from({ length: 100 }, () => opened.book.verify('idm', 'old:gänse')),
  );
  assert.deepEqual(new Set(answers), new Set([true]));
  assert.equal(opened.count.comparisons, 1);
});

test('a verified credential is remembered, a wrong one is not', async () => {
  await using opened = await open(entry('idm', old));
  for (let i = 0; i < 3; i += 1) assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
  assert.equal(opened.count.comparisons, 1);
  for (let i = 0; i < 3; i += 1) assert.equal(await opened.book.verify('idm', 'wrong'), false);
  assert.equal(opened.count.comparisons, 4);
});

test('user and secret are remembered apart, wherever the border between them lies', async () => {
  await using opened = await open(entry('idm', old));
  assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
  assert.equal(await opened.book.verify('idmo', 'ld:gänse'), false);
});

test('after five minutes a credential is compared again', async () => {
  let now = 0;
  await using opened = await open(entry('idm', old), { now: () => now });
  assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
  now = 299_999;
  assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
  assert.equal(opened.count.comparisons, 1);
  now = 300_000;
  assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
  assert.equal(opened.count.comparisons, 2);
});

test('a refusal costs the same for everybody, also while somebody has two secrets (row 56)', async () => {
  await using opened = await open(entry('idm', old, young) + entry('iag', young));
  const cost = async (user: string): Promise<number> => {
    const before = opened.count.comparisons;
    assert.equal(await opened.book.verify(user, 'wrong'), false);
    return opened.count.comparisons - before;
  };
  assert.deepEqual([await cost('idm'), await cost('iag'), await cost('nobody')], [2, 2, 2]);
});

const median = (list: number[]): number => list.toSorted((a, b) => a - b)[list.length / 2] ?? 0;

test('unknown user and wrong secret take the same time (row 56)', async () => {
  await using opened = await open(entry('idm', old));
  const times = { idm: [] as number[], nobody: [] as number[] };
  for (let i = 0; i < 40; i += 1)
    for (const user of ['idm', 'nobody'] as const) {
      const began = performance.now();
      await opened.book.verify(user, `wrong ${i}`);
      times[user].push(performance.now() - began);
    }
  const ratio = median(times.idm) / median(times.nobody);
  // The row's 5 % needs a quiet machine; a missing comparison would be a factor of a thousand.
  assert.ok(ratio > 0.5 && ratio < 2, `ratio ${ratio}`);
});

test('a generated secret is verified without a slow comparison, and beside a chosen one', async () => {
  await using opened = await open(entry('idm', fast, old));
  assert.equal(await opened.book.verify('idm', machine), true);
  assert.equal(opened.count.comparisons, 0);
  assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
  assert.equal(await opened.book.verify('idm', generateSecret()), false);
  assert.equal(await opened.book.verify('nobody', machine), false);
});

test('a generated secret needs no charge, and its first use counts as a success', async () => {
  await using opened = await open(entry('idm', fast));
  let successes = 0;
  const attempt = {
    ...free,
    charge: async () => {
      throw new ScimError('throttled', 'Too many.');
    },
    succeed: () => void (successes += 1),
  };
  for (let i = 0; i < 3; i += 1) assert.ok(await opened.throttled.verify('idm', machine, attempt));
  assert.equal(successes, 1);
});

test('a refusal costs nobody a slow comparison where all secrets are generated', async () => {
  await using opened = await open(entry('idm', fast));
  for (const user of ['idm', 'nobody']) assert.equal(await opened.book.verify(user, 'wrong'), false);
  assert.equal(opened.count.comparisons, 0);
});

test('a refusal costs the same for users with generated secrets, chosen ones and none (row 56)', async () => {
  await using opened = await open(entry('idm', fast) + entry('iag', old) + entry('mixed', fast, young));
  const times: Record<string, number[]> = { idm: [], iag: [], mixed: [], nobody: [] };
  for (let i = 0; i < 20; i += 1)
    for (const [user, list] of Object.entries(times)) {
      const began = performance.now();
      await opened.book.verify(user, i % 2 ? `wrong ${i}` : generateSecret());
      list.push(performance.now() - began);
    }
  assert.equal(opened.count.comparisons, 80, 'one for each');
  const medians = Object.values(times).map(median);
  const ratio = Math.max(...medians) / Math.min(...medians);
  assert.ok(ratio < 2, `ratio ${ratio}`);
});

test('which of two secrets was shown is told by a name that ends with its entry and tells nothing', async () => {
  await using opened = await open(entry('idm', fast, old));
  const { throttled: book } = opened;
  const name = (await book.verify('idm', machine, free)) ?? '';
  const other = (await book.verify('idm', 'old:gänse', free)) ?? '';
  assert.equal(await book.verify('idm', machine, free), name, 'also when it is remembered');
  assert.ok(name !== other && book.holds('idm', name) && book.holds('idm', other));
  assert.match(name, /^[\w-]{22}$/);
  assert.ok(!machine.includes(name) && !fast.includes(name));
  assert.equal(book.holds('nobody', name), false);
  await opened.replace(entry('idm', old));
  await book.reload();
  assert.deepEqual([book.holds('idm', name), book.holds('idm', other)], [false, true]);
});

test('a generated secret that left the file is refused', async () => {
  await using opened = await open(entry('idm', fast));
  assert.equal(await opened.book.verify('idm', machine), true);
  await opened.replace(entry('idm', young));
  await opened.book.reload();
  assert.equal(await opened.book.verify('idm', machine), false);
});

test('many different credentials at once are bounded: few run, some wait, the rest is refused as busy', async () => {
  let running = 0;
  let most = 0;
  const compare = async (): Promise<boolean> => {
    running += 1;
    most = Math.max(most, running);
    await sleep(1);
    running -= 1;
    return false;
  };
  await using opened = await open(entry('idm', old), { compare });
  const outcomes = await Promise.allSettled(
    Array.from({ length: 200 }, (_, i) => opened.book.verify('idm', `${i}`)),
  );
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
  assert.ok(most <= 4, `${most} at once`);
  assert.equal(outcomes.length - refused.length, most + 64);
  for (const { reason } of refused) assert.equal(reason.kind, 'busy');
});

test('a remembered credential is served while strangers fill the queue (row 58)', async () => {
  const { promise: blocked, resolve: release } = Promise.withResolvers<void>();
  const compare: typeof verifySecret = async (hash, secret) => {
    if (secret.startsWith('wrong')) await blocked;
    return verifySecret(hash, secret);
  };
  await using opened = await open(entry('idm', old), { compare });
  assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
  const flood = Promise.allSettled(
    Array.from({ length: 100 }, (_, i) => opened.book.verify('idm', `wrong ${i}`)),
  );
  assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
  release();
  await flood;
});

test('a comparison that fails is an error and not a refusal, and the next one may succeed', async () => {
  let fails = true;
  const compare: typeof verifySecret = (hash, secret) =>
    fails ? Promise.reject(new Error('out of memory')) : verifySecret(hash, secret);
  await using opened = await open(entry('idm', old), { compare });
  await assert.rejects(opened.book.verify('idm', 'old:gänse'), { message: 'out of memory' });
  fails = false;
  assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
});

test('a comparison is charged first and then settled once, by what came of it', async () => {
  const steps: string[] = [];
  const attempt = {
    charge: async () => void steps.push('charge'),
    succeed: () => void steps.push('succeed'),
    fail: () => void steps.push('fail'),
    refund: () => void steps.push('refund'),
  };
  let fails = false;
  const compare: typeof verifySecret = (hash, secret) =>
    fails ? Promise.reject(new Error('out of memory')) : verifySecret(hash, secret);
  await using opened = await open(entry('idm', old), { compare });
  const { throttled: book } = opened;
  await book.verify('idm', 'wrong', attempt);
  await Promise.all(Array.from({ length: 5 }, () => book.verify('idm', 'old:gänse', attempt)));
  await book.verify('idm', 'old:gänse', attempt);
  fails = true;
  await assert.rejects(book.verify('idm', 'wrong', attempt));
  assert.deepEqual(steps, ['charge', 'fail', 'charge', 'refund', 'succeed', 'charge', 'refund']);
});

test('what may not be charged is not compared, and what is remembered needs no charge', async () => {
  await using opened = await open(entry('idm', old));
  const empty = {
    ...free,
    charge: async () => {
      throw new ScimError('throttled', 'Too many.');
    },
  };
  await assert.rejects(opened.throttled.verify('idm', 'old:gänse', empty), { kind: 'throttled' });
  assert.equal(opened.count.comparisons, 0);
  assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
  assert.ok(await opened.throttled.verify('idm', 'old:gänse', empty));
});

/** The promise is one second; the machine of the tests may be busy with other things for another one. */
const reloadMs = 2000;

const refusesOld = async (book: UnthrottledBook): Promise<boolean> =>
  !(await book.verify('idm', 'old:gänse'));

test('a secret that left the file is refused within a second, though it was remembered (row 60)', async () => {
  let reloads = 0;
  await using opened = await open(entry('idm', old), { onReloaded: () => (reloads += 1) });
  assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
  await opened.replace(entry('idm', young));
  assert.ok(await until(() => refusesOld(opened.book), reloadMs));
  assert.equal(await opened.book.verify('idm', 'young'), true);
  assert.equal(reloads, 1);
});

test('the change is seen where a link above the file is swapped, as Kubernetes does', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-book-'));
  const at = (name: string): string => join(directory.path, name);
  for (const [name, hash] of [
    ['one', old],
    ['two', young],
  ] as const) {
    await mkdir(at(name));
    await writeFile(join(at(name), 'secrets.yaml'), entry('idm', hash));
  }
  await symlink('one', at('..data'));
  await symlink('..data/secrets.yaml', at('secrets.yaml'));
  using book = unthrottled(await openSecretBook(at('secrets.yaml')));
  assert.equal(await book.verify('idm', 'old:gänse'), true);
  await symlink('two', at('..next'));
  await rename(at('..next'), at('..data'));
  assert.ok(await until(() => refusesOld(book), reloadMs));
});

test('a reload on demand takes effect when it returns', async () => {
  await using opened = await open(entry('idm', old));
  assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
  await opened.replace(entry('idm', young));
  await opened.book.reload();
  assert.equal(await opened.book.verify('idm', 'old:gänse'), false);
});

test('a comparison that began before a reload is not remembered after it', async () => {
  const { promise: blocked, resolve: release } = Promise.withResolvers<void>();
  let isHeld = true;
  const compare: typeof verifySecret = async (hash, secret) => {
    if (isHeld) await blocked;
    return verifySecret(hash, secret);
  };
  await using opened = await open(entry('idm', old), { compare });
  const early = opened.book.verify('idm', 'old:gänse');
  await opened.replace(entry('idm', young));
  await opened.book.reload();
  isHeld = false;
  release();
  await early;
  assert.equal(await opened.book.verify('idm', 'old:gänse'), false);
});

for (const [title, breakFile] of [
  ['broken', (file: string) => writeFile(file, 'idm: [')],
  ['gone', (file: string) => rm(file)],
] as const)
  test(`a file that is ${title} leaves the old book in force and is reported`, async () => {
    const faults: unknown[] = [];
    await using opened = await open(entry('idm', old), { onBroken: (cause) => faults.push(cause) });
    await breakFile(opened.file);
    assert.ok(await until(() => faults.length > 0, reloadMs));
    assert.equal(await opened.book.verify('idm', 'old:gänse'), true);
    await opened.replace(entry('idm', young));
    await opened.book.reload();
    assert.equal(await opened.book.verify('idm', 'young'), true);
  });

test('a book does not open on a file that is missing or broken', async () => {
  await assert.rejects(openSecretBook('/nowhere/secrets.yaml'), { code: 'ENOENT' });
  await assert.rejects(open('idm: ['), /not valid/);
});

for (const [what, secret, hash] of [
  ['generated', machine, fast],
  ['chosen', 'young', young],
] as const)
  test(`a ${what} secret is refused from its end on, although it is remembered and has given tokens`, async () => {
    let clock = Date.UTC(2027, 0, 1);
    const notAfter = '2027-01-02T00:00:00Z';
    await using opened = await open(
      `idm:\n  - hash: ${hash}\n    notAfter: ${notAfter}\n  - hash: ${old}\n`,
      {
        clock: () => clock,
      },
    );
    const name = await opened.throttled.verify('idm', secret, free);
    assert.ok(name);
    clock = Date.parse(notAfter) - 1;
    assert.equal(await opened.book.verify('idm', secret), true);
    clock = Date.parse(notAfter);
    assert.equal(await opened.book.verify('idm', secret), false);
    assert.equal(opened.book.holds('idm', name), false);
    assert.equal(await opened.book.verify('idm', 'old:gänse'), true, 'the other one goes on');
    assert.deepEqual(opened.book.ends(), [], 'and so does its user');
  });
