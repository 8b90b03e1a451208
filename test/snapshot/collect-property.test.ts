/** Reading a whole collection while anything changes at any call: everybody who stays is known in the end, or a fault is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import fc from 'fast-check';

import { collect, CollectFault } from '../../src/snapshot/collect.ts';
import { Collection, many, peopleOf, type Totals } from './collection.ts';

/** `COLLECT_RUNS=20000` for a long search. */
const numRuns = Number(process.env['COLLECT_RUNS'] ?? 400);

type Kind = 'delete' | 'insert' | 'flip';

interface Change {
  readonly kind: Kind;
  readonly at: number;
  /** So many next to each other. */
  readonly count: number;
}

/** What happens before a page is read. */
interface Burst {
  readonly changes: readonly Change[];
  readonly move: { readonly from: number; readonly to: number } | undefined;
}

const change = (kinds: readonly Kind[], most: number) =>
  fc.record({
    kind: fc.constantFrom(...kinds),
    at: fc.nat(400),
    count: fc.integer({ min: 1, max: most }),
  });

const burst = (kinds: readonly Kind[], changes: number, most: number): fc.Arbitrary<Burst> =>
  fc.record({
    changes: fc.array(change(kinds, most), { maxLength: changes, size: 'max' }),
    move: fc.option(fc.record({ from: fc.nat(400), to: fc.nat(400) }), { nil: undefined }),
  });

/** A tenant to which things happen, and who of it has never been away. */
class Busy {
  readonly tenant: Collection;
  readonly stays: Set<string>;
  readonly #bursts: Burst[];
  /** Up to which position pages have been asked for. */
  #reach = 0;
  #calls = 0;
  #born = 0;

  constructor(tenant: Collection, bursts: readonly Burst[]) {
    this.tenant = tenant;
    this.stays = new Set(tenant.ids());
    this.#bursts = [...bursts];
  }

  readonly page = (startIndex: number, count: number) => {
    this.#reach = Math.max(this.#reach, startIndex - 1 + count);
    const next = this.#calls > 0 ? this.#bursts.shift() : undefined;
    for (const each of next?.changes ?? []) this.#change(each);
    // One move from page to page; a page comes three calls after another at most.
    if (next?.move && this.#calls % 3 === 0) this.#move(next.move.from, next.move.to);
    this.#calls += 1;
    return this.tenant.page(startIndex, count);
  };

  #change({ kind, at, count }: Change): void {
    const { people } = this.tenant;
    const place = at % (people.length + 1);
    if (kind === 'insert')
      people.splice(
        place,
        0,
        ...Array.from({ length: count }, () => ({ id: `n${this.#born++}`, passes: true, version: 0 })),
      );
    else if (kind === 'delete') for (const { id } of people.splice(place, count)) this.stays.delete(id);
    else
      for (const person of people.slice(place, place + count)) {
        person.passes = !person.passes;
        this.stays.delete(person.id);
      }
  }

  #move(from: number, to: number): void {
    const { people } = this.tenant;
    const [person] = people.splice(from % (people.length + 1), 1);
    if (!person) return;
    const place = to % (people.length + 1);
    people.splice(place, 0, person);
    // Whoever comes to the front, past the reading, is in no page; those that an edition has are asked for singly.
    if (place < this.#reach) this.stays.delete(person.id);
  }
}

async function readsAll(busy: Busy, pageSize: number): Promise<void> {
  const found = await collect({ askPage: busy.page, maxBytes: 50_000_000, pageSize }).catch(
    (thrown: unknown) => {
      assert.ok(thrown instanceof CollectFault);
      return undefined;
    },
  );
  const missed = found ? [...busy.stays].filter((id) => !found.bodies.has(id)) : [];
  assert.deepEqual(missed, []);
}

const totals = fc.constantFrom<Totals>('provided', '2025', '2026');

test('whatever conditions drop, nobody who stays is missed while up to five are deleted at every call, and others come and move', async () => {
  const stretch = fc.record({
    length: fc.integer({ min: 1, max: 60 }),
    density: fc.constantFrom(0, 0.1, 0.5, 1),
  });
  const directory = fc
    .tuple(
      fc.array(stretch, { maxLength: 10, size: 'max' }),
      fc.infiniteStream(fc.double({ min: 0, max: 0.99, noNaN: true })),
    )
    .map(([stretches, chance]) =>
      stretches.flatMap(({ length, density }) =>
        Array.from({ length }, () => (chance.next().value ?? 0) < density),
      ),
    );
  const bursts = fc.array(burst(['delete', 'delete', 'insert', 'flip'], 4, 1), {
    maxLength: 40,
    size: 'max',
  });
  await fc.assert(
    fc.asyncProperty(
      directory,
      totals,
      fc.integer({ min: 20, max: 40 }),
      bursts,
      (passes, rule, pageSize, happens) =>
        readsAll(new Busy(new Collection(peopleOf(passes), rule), happens), pageSize),
    ),
    { numRuns },
  );
});

test('where conditions drop nobody, nobody who stays is missed however many are deleted and created at every call', async () => {
  const bursts = fc.array(burst(['delete', 'insert'], 4, 60), { maxLength: 30, size: 'max' });
  await fc.assert(
    fc.asyncProperty(
      fc.nat(400),
      totals,
      fc.integer({ min: 6, max: 40 }),
      bursts,
      (count, rule, pageSize, happens) =>
        readsAll(new Busy(new Collection(many(count), rule), happens), pageSize),
    ),
    { numRuns },
  );
});
