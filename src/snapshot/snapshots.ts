/**
 * All snapshots of a gateway. Writes come here by what they touch, lists by their collection; a collection without a sound
 * snapshot is asked for at the tenant, as if there were none.
 */
import { createHmac } from 'node:crypto';

import { lengthPrefixed } from '../cache/key.ts';
import type { Seal } from '../cache/seal.ts';
import type { Operation } from '../scim/operation.ts';
import { Board } from './board.ts';
import { changesBy, type Known } from './changes.ts';
import { Keeper, type KeeperState, type Keeping } from './keeper.ts';
import { ShownSnapshot, type Reread, type Shown, type Wanted } from './shown.ts';
import type { Slate } from './slate.ts';

export interface Collection {
  readonly tenant: string;
  readonly system: string;
  /** Where the tenant has the system: an id that is given to another system must not bring the old one's people. */
  readonly origin: string;
  readonly resourceType: string;
}

export interface Kept extends Collection, Keeping {
  readonly maxReplyBytes: number;
}

export interface SnapshotsOptions {
  readonly slateOf: (system: string, name: string) => Slate;
  /** A secret of at least 32 bytes, equal on all replicas. */
  readonly key: Buffer;
  /** For slates outside the process. */
  readonly seal?: Seal;
  readonly note: (event: string, facts: Record<string, unknown>) => void;
}

/** It may name anybody. */
const unknownBody = Buffer.from('?');

interface Place {
  kept: Kept;
  readonly board: Board;
  readonly shown: ShownSnapshot;
  readonly keeper: Keeper;
}

export class Snapshots implements Disposable {
  readonly #options: SnapshotsOptions;
  readonly #places = new Map<string, Place>();
  /** What is known of writes. */
  readonly #known = new WeakMap<Operation, Known>();

  constructor(options: SnapshotsOptions) {
    this.#options = options;
  }

  /**
   * From now on these collections.
   * @param others whose writes do not come to a board: what one has from earlier days is not to be believed later
   */
  keepTo(all: readonly Kept[], others: readonly Collection[]): void {
    const wanted = new Map(all.map((kept) => [nameOf(kept), kept]));
    for (const [name, { keeper, board }] of this.#places) {
      if (wanted.has(name)) continue;
      keeper[Symbol.dispose]();
      this.#places.delete(name);
      void board.append([{ kind: 'all' }]);
    }
    for (const other of others) void this.#boardOf(other).append([{ kind: 'all' }]);
    for (const [name, kept] of wanted) {
      const known = this.#places.get(name);
      if (known) known.kept = kept;
      else this.#places.set(name, this.#open(name, kept));
    }
  }

  /** Undefined when the tenant must be asked. */
  async show(collection: Collection, wanted: Wanted, reread: Reread): Promise<Shown | undefined> {
    const place = this.#places.get(nameOf(collection));
    return place?.shown.page(wanted, place.kept, reread);
  }

  /** What a write said and what came of it; to be told before `changed`. */
  learn(operation: Operation, known: Known): void {
    this.#known.set(operation, known);
  }

  /** To be called after every write that was sent, before its caller is answered. Never throws. */
  async changed(operation: Operation): Promise<void> {
    const known = this.#known.get(operation) ?? { body: unknownBody, reply: undefined };
    await Promise.all(
      [...this.#places.values()]
        .filter(({ kept: { tenant, system } }) => tenant === operation.tenant && system === operation.system)
        .map(async ({ kept, board }) => {
          const facts = changesBy(operation, known, kept.resourceType);
          if (facts.length > 0) await board.append(facts);
        }),
    );
  }

  /** Lets the next edition of a collection be of any size; for who has looked at the alarm. */
  async release(system: string, resourceType: string): Promise<boolean> {
    const place = [...this.#places.values()].find(
      ({ kept }) => kept.system === system && kept.resourceType === resourceType,
    );
    if (!place) return false;
    this.#options.note('snapshot.released', { system, resourceType });
    return place.keeper.release();
  }

  async states(): Promise<ReadonlyMap<string, KeeperState>> {
    const all = [...this.#places.values()].map(
      async ({ kept, keeper }) => [`${kept.system}/${kept.resourceType}`, await keeper.state()] as const,
    );
    return new Map(await Promise.all(all));
  }

  [Symbol.dispose](): void {
    for (const { keeper } of this.#places.values()) keeper[Symbol.dispose]();
    this.#places.clear();
  }

  #boardOf(collection: Collection): Board {
    const { slateOf, key, seal } = this.#options;
    const mac = createHmac('sha256', key).update(nameOf(collection)).digest('base64url');
    return new Board(slateOf(collection.system, mac), seal);
  }

  #relativesOf(name: string, { tenant, system }: Collection): ShownSnapshot[] {
    return [...this.#places]
      .filter(([other, { kept }]) => other !== name && kept.tenant === tenant && kept.system === system)
      .map(([, { shown }]) => shown);
  }

  #open(name: string, first: Kept): Place {
    const { note } = this.#options;
    const board = this.#boardOf(first);
    const { system, resourceType } = first;
    const shown = new ShownSnapshot(board, () => this.#relativesOf(name, first));
    const place: Place = {
      kept: first,
      board,
      shown,
      keeper: new Keeper({
        board,
        shown,
        keeping: () => this.#places.get(name)?.kept ?? first,
        report: (event, facts) => note(`snapshot.${event}`, { system, resourceType, ...facts }),
      }),
    };
    return place;
  }
}

function nameOf({ tenant, system, origin, resourceType }: Collection): string {
  return lengthPrefixed([tenant, system, origin, resourceType]).toString('latin1');
}
