/** One replica's side of a snapshot: its board, what it shows, and builds of its own. */
import assert from 'node:assert/strict';

import type { Seal } from '../../src/cache/seal.ts';
import { Board, type Start } from '../../src/snapshot/board.ts';
import { build, type Source } from '../../src/snapshot/build.ts';
import { ShownSnapshot } from '../../src/snapshot/shown.ts';
import type { Slate } from '../../src/snapshot/slate.ts';
import type { Collection } from './collection.ts';

export interface Page {
  readonly totalResults: number;
  readonly itemsPerPage: number;
  readonly Resources: readonly { readonly id: string; readonly version: number }[];
}

const rules = { maxAgeMs: 60_000, maxReplyBytes: 10_000_000 };

export class Replica {
  readonly board: Board;
  readonly #shown: ShownSnapshot;
  readonly #tenant: Collection;

  constructor(tenant: Collection, slate: Slate, seal?: Seal) {
    this.#tenant = tenant;
    this.board = new Board(slate, seal);
    this.#shown = new ShownSnapshot(this.board);
  }

  async page(startIndex: number, count: number, more: Partial<typeof rules> = {}): Promise<Page | undefined> {
    const shown = await this.#shown.page({ startIndex, count }, { ...rules, ...more }, this.#tenant.single);
    return shown && (JSON.parse(shown.reply.body.toString('utf8')) as Page);
  }

  async ids(): Promise<readonly string[] | undefined> {
    return (await this.page(1, 100_000))?.Resources.map(({ id }) => id);
  }

  async begin(): Promise<Start> {
    const start = await this.board.begin(1000);
    assert.ok(start);
    return start;
  }

  /** The fault, if there is one. */
  async build({
    isReleased = false,
    start,
    source = this.#tenant,
  }: { isReleased?: boolean; start?: Start; source?: Source } = {}): Promise<string | undefined> {
    const options = { source, maxBytes: 10_000_000, lifetimeMs: 60_000, isReleased };
    const built = await build(this.board, start ?? (await this.begin()), options);
    return 'fault' in built ? built.fault : undefined;
  }
}
