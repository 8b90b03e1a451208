import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Cache, CacheAnswer, CacheAsk } from '../../src/cache/cache.ts';
import { createMemoryStore } from '../../src/cache/memory-store.ts';
import { type CacheOptions, createCache } from '../../src/cache/read-through.ts';
import { Sealer } from '../../src/cache/seal.ts';
import type { Store } from '../../src/cache/store.ts';
import type { Reply } from '../../src/scim/call.ts';
import { ScimError } from '../../src/scim/error.ts';
import type { Operation } from '../../src/scim/operation.ts';
import { defaults, operation, reply, rules } from './operations.ts';

const user = operation('GET', 'Users/1');

test('a second equal read does not ask the tenant', async () => {
  await using world = createWorld();
  assert.equal((await world.read(user)).result, 'miss');
  const hit = await world.read(user);
  assert.equal(hit.result, 'hit');
  assert.equal(world.asked, 1);
  assert.deepEqual(hit.reply, (await world.read(user)).reply);
});

test('a hit is the tenant’s reply, byte for byte', async () => {
  await using world = createWorld();
  const body = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const sent: Reply = { status: 200, headers: { 'content-type': 'application/json', etag: 'W/"7"' }, body };
  await world.read(user, {}, async () => sent);
  assert.deepEqual((await world.read(user)).reply, sent);
});

for (const [first, second] of [
  [operation('GET', 'Users/1'), operation('GET', 'Users/2')],
  [operation('GET', 'Users'), operation('GET', 'Groups')],
  [operation('GET', 'Users?count=1'), operation('GET', 'Users?count=2')],
  [operation('GET', 'Users/1'), operation('GET', 'Users/1', 'finance')],
  [operation('GET', 'Users/1'), { ...user, tenant: 'other' }],
] as const)
  test(`${first.path}?${first.query.canonical} and ${second.system}${second.path} are not taken for each other`, async () => {
    await using world = createWorld();
    await world.read(first);
    assert.equal((await world.read(second)).result, 'miss');
  });

for (const [what, change] of [
  ['another Accept', { accept: 'application/json' }],
  ['a caller of another scope', { scope: 'iag' }],
  ['an id that leads to another system now', { origin: 'https://acme/other' }],
] as const)
  test(`${what} is another entry`, async () => {
    await using world = createWorld();
    await world.read(user);
    assert.equal((await world.read(user, change)).result, 'miss');
  });

test('an entry is fresh for its lifetime, counted from when the tenant was asked', async () => {
  await using world = createWorld();
  const miss = await world.read(user, {}, async (asked) => {
    world.now += 5000; // waiting for a turn
    asked();
    world.now += 2000; // the tenant takes its time
    return reply('slow');
  });
  assert.deepEqual([miss.ageMs, miss.ttlMs], [2000, 58_000]);
  world.now += 57_999;
  const hit = await world.read(user);
  assert.deepEqual([hit.result, hit.ageMs, hit.ttlMs], ['hit', 59_999, 1]);
  world.now += 1;
  assert.equal((await world.read(user)).result, 'miss');
});

test('what a clock asked that is a little ahead has no age, and one that is far ahead is not believed', async () => {
  await using world = createWorld();
  await world.read(user);
  world.now -= 1000;
  const hit = await world.read(user);
  assert.deepEqual([hit.result, hit.ageMs, hit.ttlMs], ['hit', 0, 60_000]);
  world.now -= 1;
  assert.equal(await world.cache.recall(user, defaults), undefined);
  assert.equal((await world.read(user)).result, 'miss');
  assert.equal((await world.read(user)).result, 'hit', 'what is asked after the step is kept');
});

test('after the clock was set back nothing stale is told as fresh, whatever may be told when the tenant fails', async () => {
  await using world = createWorld();
  const forgiving = {
    rules: { ...rules, staleOnError: true, staleWhileRevalidate: true, maxStaleMs: 600_000 },
  };
  await world.read(user, forgiving, async () => reply('old'));
  world.now -= 3_600_000;
  const answer = await world.read(user, forgiving, async () => reply('new'));
  assert.deepEqual([answer.result, contentOf(answer)], ['miss', 'new']);
  world.now -= 3_600_000;
  const recent = await world.read(user, { ...forgiving, maxAgeMs: 1000 }, async () => reply('newest'));
  assert.equal(contentOf(recent), 'newest');
});

test('what the tenant is asked while the clock is set back is told and not kept', async () => {
  await using world = createWorld();
  const answer = await world.read(user, {}, async (asked) => {
    asked();
    world.now -= 3_600_000;
    return reply('first');
  });
  assert.deepEqual([answer.result, answer.ageMs, answer.ttlMs], ['miss', 0, 0]);
  world.now += 3_600_000;
  assert.equal((await world.read(user)).result, 'miss');
});

test('a shorter lifetime applies to entries that are already there', async () => {
  await using world = createWorld();
  await world.read(user);
  world.now += 2000;
  assert.equal((await world.read(user, { rules: { ...rules, lifetimeMs: 1000 } })).result, 'miss');
});

for (const [what, asked] of [
  ['/Me', operation('GET', 'Me')],
  ['a search', operation('POST', '.search')],
  ['the base path', operation('GET', '')],
] as const)
  test(`${what} is never remembered`, async () => {
    await using world = createWorld();
    await world.read(asked);
    assert.equal((await world.read(asked)).result, 'bypass');
    assert.equal(world.asked, 2);
  });

test('with a lifetime of 0 every read goes to the tenant on its own', async () => {
  await using world = createWorld();
  const answers = await Promise.all(
    [0, 0].map((lifetimeMs) => world.read(user, { rules: { ...rules, lifetimeMs } })),
  );
  assert.deepEqual(
    answers.map(({ result }) => result),
    ['bypass', 'bypass'],
  );
  assert.equal(world.asked, 2);
});

for (const [what, unfit] of [
  ['404', { ...reply('absent'), status: 404 }],
  ['a reply of another media type', reply('page', { 'content-type': 'text/html' })],
  ['Cache-Control: no-store', reply('secret', { 'cache-control': 'max-age=3, No-Store' })],
  ['Cache-Control: private', reply('mine', { 'cache-control': 'private="x"' })],
  ['Set-Cookie', reply('session', { 'set-cookie': 'a=b' })],
  ['Vary: *', reply('moody', { vary: 'accept, *' })],
  ['a password', { ...reply(''), body: Buffer.from('{"password":"x"}') }],
] as const)
  test(`${what} is not remembered`, async () => {
    await using world = createWorld();
    const answer = await world.read(user, {}, async () => unfit);
    assert.deepEqual([answer.result, answer.ttlMs], ['miss', 0]);
    assert.equal((await world.read(user)).result, 'miss');
  });

test('an error of the tenant reaches the caller and is not remembered', async () => {
  await using world = createWorld();
  const error = new ScimError('upstream-timeout', 'The tenant did not answer in time.');
  await assert.rejects(
    world.read(user, {}, () => Promise.reject(error)),
    error,
  );
  assert.equal((await world.read(user)).result, 'miss');
});

for (const [write, stale, fresh] of [
  [
    'PUT Users/1',
    ['Users/1', 'Users/1?attributes=name', 'Users', 'Groups', 'Groups/7'],
    ['Users/2', 'Schemas'],
  ],
  ['PATCH Groups/7', ['Groups/7', 'Groups', 'Users', 'Users/1'], ['Groups/8', 'Schemas']],
  ['DELETE Users/1', ['Users/1', 'Users', 'Groups/7'], ['Users/2']],
  ['POST Users', ['Users', 'Users?count=2', 'Groups'], ['Users/1', 'ServiceProviderConfig']],
  ['POST Bulk', ['Users/1', 'Users', 'Groups', 'Groups/7'], ['ResourceTypes']],
  ['PUT Users/ABC', ['Users/abc'], []],
] as const)
  test(`${write} makes the next read of what it may have changed ask the tenant, and nothing else`, async () => {
    await using world = createWorld();
    const [method = '', target = ''] = write.split(' ');
    for (const path of [...stale, ...fresh]) await world.read(operation('GET', path));
    await world.cache.forget(operation(method, target));
    for (const path of stale) assert.equal((await world.read(operation('GET', path))).result, 'miss', path);
    for (const path of fresh) assert.equal((await world.read(operation('GET', path))).result, 'hit', path);
  });

test('equal reads at the same time share one call, and each says so', async () => {
  await using world = createWorld();
  const tenant = world.hold();
  const reads = [1, 2, 3].map(() => world.read(user, {}, tenant.fetch));
  tenant.answer(reply('once'));
  const answers = await Promise.all(reads);
  assert.deepEqual(
    answers.map(({ result }) => result),
    ['miss', 'collapsed', 'collapsed'],
  );
  assert.equal(tenant.asked, 1);
});

test('a read whose look is under way when an equal one lands shares its call, unless a write came in between', async () => {
  await using store = slowStore();
  await using world = createWorld(store);
  for (const isWritten of [false, true]) {
    const tenant = world.hold();
    const first = world.read(user, {}, tenant.fetch);
    await settle();
    store.holdLook();
    const second = world.read(user, {}, async () => reply('asked again'));
    if (isWritten) await world.cache.forget(operation('PUT', 'Users/1'));
    tenant.answer(reply('once'));
    await first;
    store.tellLook();
    const answer = await second;
    assert.deepEqual(
      [answer.result, contentOf(answer)],
      isWritten ? ['miss', 'asked again'] : ['collapsed', 'once'],
    );
    await world.cache.forget(operation('PUT', 'Users/1'));
  }
});

test('an error reaches everybody who shared the call', async () => {
  await using world = createWorld();
  const tenant = world.hold();
  const reads = [1, 2].map(() => world.read(user, {}, tenant.fetch));
  const error = new ScimError('upstream-unreachable', 'The tenant cannot be reached.');
  tenant.fail(error);
  for (const result of await Promise.allSettled(reads))
    assert.equal(result.status === 'rejected' && result.reason, error);
});

test('when the caller who began a shared read leaves, another one takes over', async () => {
  await using world = createWorld();
  const tenant = world.hold();
  const first = world.read(user, {}, tenant.fetch);
  const others = [world.read(user), world.read(user)];
  tenant.fail(new ScimError('caller-left', 'The caller hung up.'));
  await assert.rejects(first);
  assert.deepEqual(
    (await Promise.all(others)).map(({ result }) => result),
    ['miss', 'collapsed'],
  );
  assert.equal(world.asked, 1);
});

test('who must not be served from the cache asks the tenant alone, and what he brings is remembered', async () => {
  await using world = createWorld();
  await world.read(user, {}, async () => reply('old'));
  const tenant = world.hold();
  const running = world.read(operation('GET', 'Users/2'), {}, tenant.fetch);
  const own = await world.read(operation('GET', 'Users/2'), { mayServe: false });
  assert.equal(own.result, 'miss');
  tenant.answer(reply('late'));
  await running;
  assert.equal((await world.read(user, { mayServe: false }, async () => reply('new'))).result, 'miss');
  assert.equal(contentOf(await world.read(user)), 'new');
  assert.equal(
    contentOf(await world.read(operation('GET', 'Users/2'))),
    contentOf(own),
    'the later reading stays',
  );
});

test('a read that began before a write is not joined after it and does not fill after it', async () => {
  await using world = createWorld();
  const tenant = world.hold();
  const early = world.read(user, {}, tenant.fetch);
  await settle();
  await world.cache.forget(operation('PUT', 'Users/1'));
  const late = world.read(user, {}, async () => reply('after the write'));
  tenant.answer(reply('before the write'));
  assert.equal(contentOf(await late), 'after the write');
  assert.equal(contentOf(await early), 'before the write');
  assert.equal(contentOf(await world.read(user)), 'after the write');
});

test('a read that began before a write of another replica is not joined after it and does not fill after it', async () => {
  await using store = createMemoryStore({ maxBytes: 1_000_000 });
  await using world = createWorld(store);
  await using replica = createWorld(store);
  const tenant = world.hold();
  const early = world.read(user, {}, tenant.fetch);
  await settle();
  await replica.cache.forget(operation('PUT', 'Users/1'));
  const late = world.read(user, {}, async () => reply('after the write'));
  await settle();
  tenant.answer(reply('before the write'));
  await early;
  assert.equal(contentOf(await late), 'after the write');
  for (const replicas of [world, replica])
    assert.equal(contentOf(await replicas.read(user)), 'after the write');
});

test('without an answer of the store reads are neither shared nor served nor kept', async () => {
  const puts: string[] = [];
  await using world = createWorld(silent(puts));
  const answers = await Promise.all([world.read(user), world.read(user)]);
  assert.deepEqual(
    answers.map(({ result, ttlMs }) => [result, ttlMs]),
    [
      ['miss', 0],
      ['miss', 0],
    ],
  );
  assert.equal((await world.read(user)).result, 'miss');
  assert.deepEqual(puts, []);
});

test('without an answer of the store a read that began before a write is not joined after it', async () => {
  await using world = createWorld(silent([]));
  const tenant = world.hold();
  const early = world.read(user, {}, tenant.fetch);
  await settle();
  await world.cache.forget(operation('PUT', 'Users/1'));
  const late = world.read(user, {}, async () => reply('after the write'));
  await settle();
  tenant.answer(reply('before the write'));
  await early;
  assert.equal(contentOf(await late), 'after the write');
});

test('a value that was changed, or copied from another name, is removed and the tenant is asked', async () => {
  const values = new Map<string, Buffer>();
  let unreadable = 0;
  await using world = createWorld(recording(values), {
    seal: new Sealer([Buffer.alloc(32, 1)]),
    onUnreadable: () => (unreadable += 1),
  });
  await world.read(user);
  await world.read(operation('GET', 'Users/2'));
  const [[first, value] = ['', Buffer.alloc(0)], [second] = ['']] = [...values];
  const damaged = [Buffer.alloc(0), Buffer.of(2), Buffer.from('{"status":200}'), value.subarray(0, -1)];
  for (let at = 0; at < value.length; at += 7) damaged.push(flipped(value, at));
  for (const bytes of damaged) {
    values.set(first, bytes);
    assert.equal((await world.read(user, {}, async () => reply('1'))).result, 'miss');
  }
  values.set(second, value);
  assert.equal((await world.read(operation('GET', 'Users/2'))).result, 'miss');
  assert.equal(unreadable, damaged.length + 1);
});

test('a store outside the process holds nothing that can be read', async () => {
  const values = new Map<string, Buffer>();
  await using world = createWorld(recording(values), { seal: new Sealer([Buffer.alloc(32, 1)]) });
  await world.read(user, {}, async () => reply('Ada Lovelace', { etag: 'W/"7"' }));
  const [value = Buffer.alloc(0)] = values.values();
  for (const text of ['Ada', 'content', 'W/"7"', 'scim', 'token'])
    assert.equal(value.includes(text), false, text);
  assert.equal(contentOf(await world.read(user)), 'Ada Lovelace');
});

test('names in the store tell nothing about what was asked, and keep a system’s keys on one node', async () => {
  const values = new Map<string, Buffer>();
  await using world = createWorld(recording(values));
  await world.read(operation('GET', 'Users?filter=userName%20eq%20%22ada%22'));
  await world.read(operation('GET', 'Users/ada@example.com', 'a}b'));
  for (const key of values.keys()) assert.match(key, /^gh1:\{(hr|a%7Db)\}:[\w-]{43}$/);
});

test('a caller who asks anew gets the tenant’s own word, and the others get it too', async () => {
  await using world = createWorld();
  await world.read(user, {}, async () => reply('old'));
  const anew = await world.read(user, { maxAgeMs: 0 }, async () => reply('new'));
  assert.deepEqual([anew.result, anew.reason], ['miss', 'asked-anew']);
  assert.equal(contentOf(await world.read(user)), 'new');
});

test('an entry that is older than a caller wants is brought anew, a younger one is not', async () => {
  await using world = createWorld();
  await world.read(user);
  world.now += 5000;
  assert.equal((await world.read(user, { maxAgeMs: 5001 })).result, 'hit');
  assert.equal((await world.read(user, { maxAgeMs: 5000 })).reason, 'asked-anew');
  assert.equal((await world.read(user)).ageMs, 0);
});

test('a caller’s small max-age does not shorten what others have of an entry', async () => {
  await using world = createWorld();
  assert.equal((await world.read(user, { maxAgeMs: 1 })).ttlMs, 60_000);
  world.now += 59_000;
  assert.equal((await world.read(user)).result, 'hit');
});

test('a caller who asks anew too often is answered from the cache and told so; others may still', async () => {
  await using world = createWorld();
  const often = { ...defaults, maxAgeMs: 0, rules: { ...rules, refreshesPerMinute: 3 } };
  await world.read(user);
  for (let time = 0; time < 3; time += 1) assert.equal((await world.read(user, often)).result, 'miss');
  const limited = await world.read(user, often);
  assert.deepEqual([limited.result, limited.reason], ['hit', 'refresh-limit']);
  assert.equal((await world.read(user, { ...often, caller: 'iag' })).result, 'miss');
  assert.equal(world.asked, 5);
});

test('who asks anew for what nobody remembers is not limited', async () => {
  await using world = createWorld();
  const never = { maxAgeMs: 0, rules: { ...rules, refreshesPerMinute: 0 } };
  for (const id of ['1', '2', '3'])
    assert.equal((await world.read(operation('GET', `Users/${id}`), never)).result, 'miss');
});

test('beyond the limit, callers who ask anew at the same time share one call', async () => {
  await using world = createWorld();
  const tenant = world.hold();
  const never = { maxAgeMs: 0, rules: { ...rules, refreshesPerMinute: 0 } };
  const reads = [1, 2, 3].map(() => world.read(user, never, tenant.fetch));
  await settle();
  tenant.answer(reply('once'));
  await Promise.all(reads);
  assert.equal(tenant.asked, 1);
});

test('what must not be kept is not kept, and is answered from what is', async () => {
  await using world = createWorld();
  assert.equal((await world.read(user, { mayKeep: false })).ttlMs, 0);
  assert.equal((await world.read(user)).result, 'miss');
  assert.equal((await world.read(user, { mayKeep: false })).result, 'hit');
});

const patient = { rules: { ...rules, staleWhileRevalidate: true } };

test('past its lifetime an entry is told while it is brought anew, once', async () => {
  await using world = createWorld();
  await world.read(user, patient, async () => reply('old'));
  world.now += 61_000;
  const tenant = world.hold();
  for (let time = 0; time < 3; time += 1) {
    const stale = await world.read(user, patient, tenant.fetch);
    assert.deepEqual([stale.result, stale.reason, stale.ttlMs], ['stale', 'revalidating', -1000]);
    assert.equal(contentOf(stale), 'old');
  }
  assert.equal(tenant.asked, 1);
  tenant.answer(reply('new'));
  await settle();
  const hit = await world.read(user, patient);
  assert.deepEqual([hit.result, contentOf(hit)], ['hit', 'new']);
});

test('an entry that cannot be brought anew is told until its time is over', async () => {
  await using world = createWorld();
  const failing = () =>
    Promise.reject(new ScimError('upstream-timeout', 'The tenant did not answer in time.'));
  await world.read(user, patient);
  world.now += 359_999;
  assert.equal((await world.read(user, patient, failing)).result, 'stale');
  await settle();
  world.now += 1;
  await assert.rejects(world.read(user, patient, failing));
});

test('a write ends also what would be told past its lifetime', async () => {
  await using world = createWorld();
  const rulesOfBoth = { rules: { ...rules, staleWhileRevalidate: true, staleOnError: true } };
  await world.read(user, rulesOfBoth);
  world.now += 61_000;
  await world.cache.forget(operation('PUT', 'Users/1'));
  await assert.rejects(
    world.read(user, rulesOfBoth, () => Promise.reject(new ScimError('upstream-unreachable', 'No.'))),
  );
});

test('who names an age is told nothing stale', async () => {
  await using world = createWorld();
  await world.read(user, patient);
  world.now += 61_000;
  assert.equal((await world.read(user, { ...patient, maxAgeMs: 100_000 })).result, 'miss');
});

const forgiving = { rules: { ...rules, staleOnError: true } };
for (const [what, fetch, isTold] of [
  ['cannot be reached', () => Promise.reject(new ScimError('upstream-unreachable', 'No.')), true],
  ['is too late', () => Promise.reject(new ScimError('upstream-timeout', 'No.')), true],
  ['answers with 503', async () => ({ ...reply('busy'), status: 503 }), true],
  ['has no turn for us', () => Promise.reject(new ScimError('busy', 'No.')), false],
  ['refuses us', () => Promise.reject(new ScimError('upstream-refused-us', 'No.')), false],
  [
    'was not asked for want of a trail',
    () => Promise.reject(new ScimError('audit-unavailable', 'No.')),
    false,
  ],
  ['says that there is no such user', async () => ({ ...reply('gone'), status: 404 }), false],
] as const)
  test(`an entry past its lifetime ${isTold ? 'is' : 'is not'} told when the tenant ${what}`, async () => {
    await using world = createWorld();
    await world.read(user, forgiving, async () => reply('old'));
    world.now += 61_000;
    const answer = await world.read(user, forgiving, fetch).catch(() => undefined);
    assert.equal(answer?.reason === 'tenant-error', isTold);
    if (isTold) assert.equal(answer && contentOf(answer), 'old');
  });

test('without the rule an error is an error', async () => {
  await using world = createWorld();
  await world.read(user);
  world.now += 61_000;
  await assert.rejects(
    world.read(user, {}, () => Promise.reject(new ScimError('upstream-unreachable', 'No.'))),
  );
});

interface World extends AsyncDisposable {
  readonly cache: Cache;
  now: number;
  /** How often the tenant was asked by reads that brought no `fetch` of their own. */
  asked: number;
  read(
    asked: Operation,
    change?: Partial<CacheAsk>,
    fetch?: Parameters<Cache['read']>[2],
  ): Promise<CacheAnswer>;
  hold(): ReturnType<typeof createHeldTenant>;
}

function createWorld(
  store: Store = createMemoryStore({ maxBytes: 1_000_000 }),
  change: Partial<CacheOptions> = {},
): World {
  const cache = createCache({ store, key: Buffer.alloc(32, 7), now: () => world.now, ...change });
  const world: World = {
    cache,
    now: Date.UTC(2026, 10, 21),
    asked: 0,
    read: (asked, change = {}, fetch) =>
      cache.read(
        asked,
        { ...defaults, ...change },
        fetch ?? (async () => reply(`answer ${(world.asked += 1)}`)),
      ),
    hold: createHeldTenant,
    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  };
  return world;
}

/** A tenant that answers when the test says so. */
function createHeldTenant() {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const tenant = {
    asked: 0,
    fetch: (): Promise<Reply> => {
      tenant.asked += 1;
      return promise;
    },
    answer: resolve,
    fail: reject,
  };
  return tenant;
}

/** A store whose values a test can read and replace. */
function recording(values: Map<string, Buffer>): Store {
  return {
    look: async (key, generations) => ({ value: values.get(key), tokens: generations.map(() => 'token') }),
    put: (key, value) => void values.set(key, value),
    drop: (key) => void values.delete(key),
    renew: async () => {},
    advance: async () => undefined,
    [Symbol.asyncDispose]: async () => {},
  };
}

interface SlowStore extends Store {
  /** The next look sees what is there now, and says so when it is told to. */
  holdLook(): void;
  tellLook(): void;
}

function slowStore(): SlowStore {
  const store = createMemoryStore({ maxBytes: 1_000_000 });
  let held: PromiseWithResolvers<void> | undefined;
  return {
    look: async (key, generations) => {
      const [seen, until] = [await store.look(key, generations), held?.promise];
      await until;
      return seen;
    },
    put: (...given) => store.put(...given),
    drop: (...given) => store.drop(...given),
    renew: (...given) => store.renew(...given),
    advance: (...given) => store.advance(...given),
    holdLook: () => void (held = Promise.withResolvers()),
    tellLook: () => {
      held?.resolve();
      held = undefined;
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

/** A store that never can say. */
function silent(puts: string[]): Store {
  return {
    look: async () => undefined,
    put: (key) => void puts.push(key),
    drop: () => {},
    renew: async () => {},
    advance: async () => undefined,
    [Symbol.asyncDispose]: async () => {},
  };
}

function contentOf({ reply: { body } }: CacheAnswer): string {
  return JSON.parse(body.toString()).content;
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(at) ^ 4, at);
  return copy;
}

function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
