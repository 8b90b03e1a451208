/** Snapshots of two replicas while both write, both read and new editions are made: what was answered is what is shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';

import fc from 'fast-check';

import { MemorySlate } from '../../src/snapshot/memory-slate.ts';
import { Collection, many, peopleOf, type Totals } from './collection.ts';
import { Replica } from './replica.ts';

/** As callers do that page correctly: by what a page says of itself, to the total. */
async function load(
  replica: Replica,
  count: number,
): Promise<{ readonly ids: string[]; readonly totals: Set<number> }> {
  const ids: string[] = [];
  const totals = new Set<number>();
  for (let startIndex = 1; ;) {
    const page = await replica.page(startIndex, count);
    assert.ok(page);
    totals.add(page.totalResults);
    ids.push(...page.Resources.map(({ id }) => id));
    if (startIndex <= page.totalResults) assert.ok(page.Resources.length > 0, 'an empty page');
    startIndex += page.itemsPerPage;
    if (startIndex > page.totalResults) return { ids, totals };
  }
}

test('callers that page correctly see everybody once, in one order, with exact totals and no empty page', async () => {
  const directory = fc.record({
    passes: fc.array(fc.boolean(), { maxLength: 150 }).filter((each) => each.includes(true)),
    totals: fc.constantFrom<Totals>('provided', '2025', '2026'),
    counts: fc.array(fc.integer({ min: 1, max: 130 }), { minLength: 2, maxLength: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(directory, async ({ passes, totals, counts }) => {
      const tenant = new Collection(peopleOf(passes), totals);
      const replica = new Replica(tenant, new MemorySlate('k'));
      assert.equal(await replica.build(), undefined);
      for (const count of counts) {
        const loaded = await load(replica, count);
        assert.deepEqual(loaded.ids, tenant.ids());
        assert.deepEqual([...loaded.totals], [tenant.ids().length]);
      }
    }),
  );
});

test('a page from any index has exactly the resources that stand there', async () => {
  const tenant = new Collection(many(90));
  const replica = new Replica(tenant, new MemorySlate('k'));
  await replica.build();
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 120 }), fc.nat(200), async (startIndex, count) => {
      const page = await replica.page(startIndex, count);
      const expected = tenant.ids().slice(startIndex - 1, startIndex - 1 + count);
      assert.deepEqual(
        page?.Resources.map(({ id }) => id),
        expected,
      );
      assert.deepEqual([page?.itemsPerPage, page?.totalResults], [expected.length, 90]);
    }),
  );
});

test('who stays keeps his place in the next edition, and who is new stands behind', async () => {
  const tenant = new Collection(many(120));
  const replica = new Replica(tenant, new MemorySlate('k'));
  await replica.build();
  tenant.people.reverse();
  tenant.people.unshift({ id: 'new', passes: true, version: 0 });
  await replica.build();
  const { ids } = await load(replica, 40);
  assert.deepEqual(ids, [...many(120).map(({ id }) => id), 'new']);
});

type Step = readonly [
  what: 'delete' | 'create' | 'change' | 'drop' | 'read' | 'build',
  at: number,
  who: 0 | 1,
];

/** What of each resource is answered already; a read that begins now must show at least that. */
class Answered {
  readonly versions = new Map<string, number>();
  readonly gone = new Set<string>();
  /** Who is being deleted, or dropped by a condition. */
  readonly ending = new Set<string>();
  readonly #busy = new Set<string>();

  /** One write of a resource at a time, so that it is clear which came last. */
  async write(id: string, work: () => Promise<void>, then: () => void): Promise<void> {
    if (this.#busy.has(id) || this.gone.has(id)) return;
    this.#busy.add(id);
    await work();
    then();
    this.#busy.delete(id);
  }
}

async function play(steps: readonly Step[]): Promise<void> {
  const tenant = new Collection(many(30));
  const slate = new MemorySlate('k');
  const replicas = [new Replica(tenant, slate), new Replica(tenant, slate)] as const;
  const answered = new Answered();
  for (const { id } of tenant.people) answered.versions.set(id, 0);
  await replicas[0].build();
  tenant.pause = async () => {
    for (let left = Math.floor(Math.random() * 4); left > 0; left -= 1) await turn();
  };
  let built: Promise<unknown> = Promise.resolve();
  const running = steps.map(async ([what, at, who], number) => {
    for (let left = number; left > 0; left -= 1) await turn();
    const { board } = replicas[who];
    const person = tenant.people[at % Math.max(1, tenant.people.length)];
    if (what === 'read') return check(replicas[who], answered);
    if (what === 'build') return (built = built.then(() => replicas[who].build()));
    if (what === 'create') {
      const id = `n${number}`;
      await tenant.pause();
      tenant.people.push({ id, passes: true, version: 0 });
      await board.append([{ kind: 'born', id }]);
      answered.versions.set(id, 0);
      return undefined;
    }
    if (!person) return undefined;
    const { id } = person;
    const isEnd = what !== 'change';
    if (isEnd) answered.ending.add(id);
    return answered.write(
      id,
      async () => {
        await tenant.pause();
        if (what === 'delete') tenant.remove(id);
        else if (what === 'drop') person.passes = false;
        else person.version += 1;
        await tenant.pause();
        await board.append([{ kind: what === 'delete' ? 'gone' : 'one', id }]);
      },
      () => void (isEnd ? answered.gone.add(id) : answered.versions.set(id, person.version)),
    );
  });
  await Promise.all(running);
  await built;
  await check(replicas[0], answered);
  await check(replicas[1], answered);
}

async function check(replica: Replica, { versions, gone, ending }: Answered): Promise<void> {
  const [expected, left] = [new Map(versions), new Set(gone)];
  const page = await replica.page(1, 1000);
  if (!page) return;
  const shown = new Map(page.Resources.map(({ id, version }) => [id, version]));
  assert.equal(shown.size, page.Resources.length, 'somebody is shown twice');
  for (const id of left) assert.ok(!shown.has(id), `${id} was gone before the list was asked for`);
  for (const [id, version] of expected) {
    // Whoever is not there was written while the list was on its way.
    if (!shown.has(id)) assert.ok(gone.has(id) || ending.has(id), `${id} is missing`);
    assert.ok((shown.get(id) ?? version) >= version, `${id} is shown as it was before`);
  }
}

test('no list that begins after an answered write shows the older state, on either replica', async () => {
  const step = fc.tuple(
    fc.constantFrom('delete', 'create', 'change', 'drop', 'read', 'read', 'build'),
    fc.nat(40),
    fc.constantFrom(0, 1),
  ) as fc.Arbitrary<Step>;
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), play), { numRuns: 150 });
});
