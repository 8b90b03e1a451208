/** What holds for each repair whatever is sent: what needs none stays as it is, and nothing is repaired twice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { KnownIds } from '../../src/profile/known-ids.ts';
import { repairMediaTypes } from '../../src/profile/media-types.ts';
import type { Notes } from '../../src/profile/notes.ts';
import { PageNumbers } from '../../src/profile/page-numbers.ts';
import { repairPatch } from '../../src/profile/patch-spelling.ts';
import { singleSlashes } from '../../src/profile/slashes.ts';
import { checkWhole, repairUnpagedList } from '../../src/profile/unpaged-lists.ts';
import { ScimError } from '../../src/scim/error.ts';
import { understand, type Operation } from '../../src/scim/operation.ts';
import { Query } from '../../src/scim/target.ts';

const facts = { id: 's', tenant: 't', kind: 'ips', resourceTypes: ['Users', 'Groups'] } as const;
const queryOf = (values: Readonly<Record<string, string>>): Query =>
  new Query(Object.entries(values).map(([name, value]) => ({ name, value, encoded: `${name}=${value}` })));
const listOf = (query: Query): Operation =>
  understand(
    'GET',
    { segments: ['ipsproxy', 'service', 'api', 'v1', 'scim', 's', 'Users'], query },
    () => facts,
    't',
  );
const pageOf = (startIndex: number, count: number): Operation =>
  listOf(queryOf({ startIndex: `${startIndex}`, count: `${count}` }));

test('a walk by page numbers reads every index once, for each size of pages', () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 60 }),
      async (count, pages) => {
        const numbers = new PageNumbers();
        for (let page = 1; page <= pages; page += 1) {
          const query = await numbers.repair('midpoint', pageOf(page, count));
          assert.equal(query.get('startIndex'), String((page - 1) * count + 1));
          assert.equal(query.get('count'), String(count));
        }
      },
    ),
  ));

test('a walk by index is refused at its second page and never led past anybody', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 100 }), async (count) => {
      const numbers = new PageNumbers();
      const first = pageOf(1, count);
      assert.equal(await numbers.repair('caller', first), first.query);
      await assert.rejects(numbers.repair('caller', pageOf(1 + count, count)), isKind('invalid-value'));
    }),
  ));

test('what one list has shown of a caller is not held against another list, nor for ever', async () => {
  let now = 0;
  const numbers = new PageNumbers({ now: () => now });
  await numbers.repair('midpoint', pageOf(2, 25));
  assert.equal((await numbers.repair('midpoint', pageOf(26, 25))).get('startIndex'), '626');
  await assert.rejects(numbers.repair('other', pageOf(26, 25)), isKind('invalid-value'));
  await assert.rejects(numbers.repair('midpoint', pageOf(51, 50)), isKind('invalid-value'));
  now = 11 * 60_000;
  await assert.rejects(numbers.repair('midpoint', pageOf(26, 25)), isKind('invalid-value'));
});

test('pages larger than the tenant gives are as large as it gives them', async () => {
  const query = await new PageNumbers().repair('midpoint', pageOf(3, 200));
  assert.deepEqual([query.get('startIndex'), query.get('count')], ['201', '100']);
});

test('only a list without any paging and filter is given a count, once', () => {
  const names = ['count', 'startIndex', 'cursor', 'filter', 'attributes', 'sortBy'];
  fc.assert(
    fc.property(fc.subarray(names), fc.boolean(), (chosen, hasSnapshot) => {
      const asked = listOf(queryOf(Object.fromEntries(chosen.map((name) => [name, '1']))));
      const query = repairUnpagedList(asked, hasSnapshot);
      const isPart = chosen.some((name) => !['attributes', 'sortBy'].includes(name));
      assert.equal(query === asked.query, isPart);
      assert.equal(repairUnpagedList({ query }, hasSnapshot), query);
      for (const name of chosen) assert.equal(query.get(name), '1');
    }),
  );
});

test('a page passes for the whole when nothing can be missing', () => {
  const isWhole = (itemsPerPage: number, totalResults: number): boolean => {
    try {
      checkWhole({ itemsPerPage, totalResults });
      return true;
    } catch (error) {
      assert.ok(isKind('too-many')(error));
      return false;
    }
  };
  const rows = [
    [0, 0, true],
    [60, 60, true],
    [60, 101, true], // IPS's estimate of a page that is not empty
    [60, 100, true], // the same as it was until June 2026
    [100, 100, true],
    [100, 101, false],
    [100, 4711, false],
    [60, 4711, false],
    [4711, 4711, true],
  ] as const;
  for (const [items, total, expected] of rows)
    assert.equal(isWhole(items, total), expected, `${items}/${total}`);
  assert.throws(() => checkWhole(undefined), isKind('too-many'));
});

const slashy = fc.array(fc.constantFrom('/', '//', '///', 'Users', 'a', '?', '%2f', '..'), { maxLength: 12 });

test('slashes are single after a repair, and what stands behind the question mark stays', () => {
  fc.assert(
    fc.property(slashy, (parts) => {
      const target = `/${parts.join('')}`;
      const [path = '', ...query] = target.split('?');
      const repaired = singleSlashes(target);
      if (repaired === undefined) return assert.doesNotMatch(path, /\/\//);
      assert.equal(singleSlashes(repaired), undefined);
      assert.equal(repaired, [path.replaceAll(/\/+/g, '/'), ...query].join('?'));
    }),
  );
});

test('only a body without a name, or with a vague one, is renamed, and the fields else stay', () => {
  const types = fc.constantFrom(
    undefined,
    '',
    'text/plain',
    'TEXT/JSON; charset=UTF-8',
    'application/octet-stream',
    'text/plain;charset=utf-16',
    'application/json',
    'application/scim+json;charset=utf-8',
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
  );
  const accepts = fc.constantFrom(undefined, '*/*', 'application/json', 'application/scim+json');
  const kinds = fc.constantFrom('ips', 'scim');
  fc.assert(
    fc.property(types, accepts, kinds, fc.constantFrom('0', '2'), (type, accept, kind, length) => {
      const headers = { 'content-type': type, accept, 'content-length': length, 'if-match': '"1"' };
      const create = { effect: 'write', kind: 'create' } as const;
      const repaired = repairMediaTypes({ headers }, create, kind);
      const isVague = /^(?:|text\/plain|text\/json; charset=utf-8|application\/octet-stream)$/i.test(
        type ?? '',
      );
      const renamed = isVague && length === '2' ? 'application/scim+json' : type;
      assert.equal(repaired['content-type'], renamed);
      assert.equal(repaired['if-match'], '"1"');
      assert.equal(repairMediaTypes({ headers: repaired }, create, kind), repaired);
      if (kind === 'ips') assert.equal(repaired['accept'], accept);
      if (kind === 'ips' && renamed === type) assert.equal(repaired, headers);
    }),
  );
});

const ids = fc.constantFrom('ab', 'AB', 'aB', 'cd', 'CD', 'x1', 'X1');

test('an id is only ever exchanged for one that was seen and differs in its case alone, and for none of two', () =>
  fc.assert(
    fc.asyncProperty(fc.array(ids), ids, async (seen, asked) => {
      const known = new KnownIds();
      await known.learn('s', 'Users', seen);
      const found = await known.trueId('s', 'Users', asked);
      const alike = new Set(seen.filter((id) => id.toLowerCase() === asked));
      assert.equal(found, alike.size === 1 ? [...alike][0] : asked);
      assert.equal(await known.trueId('s', 'Users', found), found);
      assert.equal(await known.trueId('other', 'Users', asked), asked);
      assert.equal(await known.trueId('s', 'Groups', asked), asked);
    }),
  ));

test('more ids than there is room for are forgotten, the longest unseen first', async () => {
  const known = new KnownIds({ max: 2 });
  await known.learn('s', 'Users', ['A', 'B', 'A', 'C']);
  assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((id) => known.trueId('s', 'Users', id))), [
    'A',
    'b',
    'C',
  ]);
});

test('a member that may be a user or a group of the same spelling is left alone', async () => {
  const known = new KnownIds();
  const trueMember = async (id: string): Promise<string> => (await known.trueMembers('s', [id]))(id);
  await known.learn('s', 'Users', ['AB']);
  assert.equal(await trueMember('ab'), 'AB');
  await known.learn('s', 'Groups', ['Ab']);
  assert.equal(await trueMember('ab'), 'ab');
});

/** Two replicas that tell each other what they have seen, as long as they can. */
function replicas() {
  const noted = new Map<string, Set<string>>();
  const stage = { isAway: false };
  const notes: Notes = {
    add: async (all) => {
      if (!stage.isAway)
        for (const { name, value } of all) noted.getOrInsertComputed(name, () => new Set()).add(value);
      return !stage.isAway;
    },
    read: async (names) => (stage.isAway ? undefined : names.map((name) => [...(noted.get(name) ?? [])])),
  };
  let now = 0;
  const own = { notes, now: () => now };
  return {
    stage,
    ids: [new KnownIds(own), new KnownIds(own)] as const,
    numbers: [new PageNumbers(own), new PageNumbers(own)] as const,
    later: (ms: number) => void (now += ms),
  };
}

test('an id that one replica has told is known to the other, and that there are two of them as well', async () => {
  const {
    ids: [one, other],
  } = replicas();
  await one.learn('s', 'Users', ['AB']);
  assert.equal(await other.trueId('s', 'Users', 'ab'), 'AB');
  await other.learn('s', 'Users', ['Ab']);
  assert.deepEqual(
    [await one.trueId('s', 'Users', 'ab'), await other.trueId('s', 'Users', 'ab')],
    ['ab', 'ab'],
  );
});

test('while replicas cannot tell each other, an id that one has not seen stays as it is, until it can be told', async () => {
  const {
    stage,
    ids: [one, other],
  } = replicas();
  stage.isAway = true;
  await one.learn('s', 'Users', ['AB']);
  assert.deepEqual(
    [await one.trueId('s', 'Users', 'ab'), await other.trueId('s', 'Users', 'ab')],
    ['AB', 'ab'],
  );
  stage.isAway = false;
  assert.equal(await other.trueId('s', 'Users', 'ab'), 'ab');
  await one.learn('s', 'Users', ['AB']);
  assert.equal(await other.trueId('s', 'Users', 'ab'), 'AB');
});

test('whichever replica a page comes to, it is the same page, for each size of pages', () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 30 }),
      fc.array(fc.constantFrom(0, 1), { minLength: 1, maxLength: 80 }),
      async (count, ways) => {
        const { numbers } = replicas();
        for (const [at, way] of ways.entries()) {
          const query = await numbers[way]?.repair('midpoint', pageOf(at + 1, count));
          assert.equal(query?.get('startIndex'), String(at * count + 1));
        }
      },
    ),
  ));

test('while replicas cannot tell each other, a page of which one cannot tell is refused, never a wrong one', async () => {
  const {
    stage,
    numbers: [one, other],
  } = replicas();
  stage.isAway = true;
  await one.repair('midpoint', pageOf(2, 2));
  await assert.rejects(other.repair('midpoint', pageOf(3, 2)), isKind('invalid-value'));
  assert.equal((await one.repair('midpoint', pageOf(3, 2))).get('startIndex'), '5');
});

const spell = (patch: unknown): unknown => JSON.parse(textOf(JSON.stringify(patch)));
const textOf = (text: string, trueMember?: (id: string) => string): string =>
  repairPatch(Buffer.from(text), { spelling: true, trueMember }).body.toString();
const patchOf = (...Operations: readonly unknown[]) => ({ Operations });

for (const [title, came, meant] of [
  ['the case of op', { op: 'Add', path: 'title', value: 'x' }, [{ op: 'add', path: 'title', value: 'x' }]],
  [
    'the case of member names',
    { Op: 'add', Path: 'title', Value: 'x' },
    [{ op: 'add', path: 'title', value: 'x' }],
  ],
  [
    'one object in place of a list',
    { op: 'add', path: 'members', value: { value: '1' } },
    [{ op: 'add', path: 'members', value: [{ value: '1' }] }],
  ],
  [
    'the URN of a core schema',
    { op: 'replace', path: 'URN:ietf:params:scim:schemas:core:2.0:User:title', value: 'x' },
    [{ op: 'replace', path: 'title', value: 'x' }],
  ],
  [
    'members to remove in the value',
    { op: 'remove', path: 'members', value: [{ value: 'a"b' }, 'c'] },
    [
      { op: 'remove', path: String.raw`members[value eq "a\"b"]` },
      { op: 'remove', path: 'members[value eq "c"]' },
    ],
  ],
  [
    'single quotes in a path',
    { op: 'remove', path: "members[value EQ 'a']" },
    [{ op: 'remove', path: 'members[value eq "a"]' }],
  ],
] as const)
  test(`a PATCH is written as the RFC has it: ${title}`, () => {
    assert.deepEqual(spell(patchOf(came)), patchOf(...meant));
  });

for (const [title, operation] of [
  ['a removal of members that names nobody', { op: 'remove', path: 'members', value: [] }],
  ['a removal of members by their names alone', { op: 'remove', path: 'members', value: [{ display: 'x' }] }],
  ['a removal of all members', { op: 'remove', path: 'members' }],
  ['a verb that is none', { op: 'Move', path: 'title' }],
  ['an attribute of an extension', { op: 'add', path: 'urn:example:ext:2.0:User:members', value: {} }],
  ['a text that could end in two places', { op: 'remove', path: `members[value eq 'a"b']` }],
] as const)
  test(`a PATCH goes up byte for byte: ${title}`, () => {
    const body = Buffer.from(` ${JSON.stringify(patchOf(operation))}\n`);
    assert.equal(repairPatch(body, { spelling: true }).body, body);
  });

test('numbers that JavaScript cannot hold keep their digits in a repaired body', () => {
  const value = '12345678901234567890.10';
  const text = textOf(`{"Operations":[{"op":"Add","path":"x","value":${value}}]}`);
  assert.equal(text, `{"Operations":[{"op":"add","path":"x","value":${value}}]}`);
});

test('members are named by the ids that were seen, in values and in paths', () => {
  const known: Readonly<Record<string, string>> = { ab: 'AB' };
  const patch = patchOf(
    { op: 'add', path: 'members', value: [{ value: 'ab', display: 'ab' }, { value: 'zz' }] },
    { op: 'remove', path: 'members[value eq "ab"]' },
    { op: 'replace', path: 'displayName', value: 'ab' },
  );
  assert.deepEqual(
    JSON.parse(textOf(JSON.stringify(patch), (id) => known[id] ?? id)),
    patchOf(
      { op: 'add', path: 'members', value: [{ value: 'AB', display: 'ab' }, { value: 'zz' }] },
      { op: 'remove', path: 'members[value eq "AB"]' },
      { op: 'replace', path: 'displayName', value: 'ab' },
    ),
  );
});

const operations = fc.record(
  {
    op: fc.constantFrom('add', 'Add', 'REMOVE', 'remove', 'replace', 'x', 1),
    Path: fc.constantFrom('members', 'title'),
    path: fc.constantFrom(
      'members',
      'Members',
      'emails',
      "members[value eq 'a']",
      'members[value eq "a"]',
      'urn:a:b',
      '',
    ),
    value: fc.oneof(
      fc.jsonValue(),
      fc.array(fc.record({ value: fc.string() })),
      fc.record({ value: fc.string() }),
    ),
  },
  { requiredKeys: [] },
);

test('a repaired PATCH needs no repair, and what needs none stays the bytes that came', () => {
  const trueMember = (id: string): string => id.toUpperCase();
  const patches = fc.array(operations.filter((each) => !('path' in each && 'Path' in each)));
  fc.assert(
    fc.property(patches, fc.constantFrom('Operations', 'operations'), (list, name) => {
      const body = Buffer.from(JSON.stringify({ [name]: list }, undefined, 1));
      const once = repairPatch(body, { spelling: true, trueMember });
      const twice = repairPatch(once.body, { spelling: true, trueMember });
      assert.equal(twice.body, once.body);
      assert.equal(once.body === body, !once.spelling && !once.ids);
    }),
  );
});

function isKind(kind: string): (error: unknown) => boolean {
  return (error) => error instanceof ScimError && error.kind === kind;
}
