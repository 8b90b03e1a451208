/**
 * Asks the tenant for a block in place of a small page, and makes of it what the cache shall remember. Pages of a block
 * without dropped entities are what the tenant itself would say and serve everybody; the later pages of another block
 * serve only those who were given the earlier ones (docs/decisions/0013-blocks.md).
 */
import { randomUUID } from 'node:crypto';

import type { Reply } from '../scim/call.ts';
import { ScimError, type Kind } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import { blockSize, cutBlock, isUnclear, type Cut, type Estimate } from './block.ts';
import { readListPage, type ListPage } from './list-page.ts';
import type { AskTenant, Further, Reading } from './memory.ts';
import { blockAt, pageAt, type Wanted } from './wanted.ts';

/** What a page says of its block; it travels with the reply as far as the cache keeps it, and no further. */
export interface Mark extends Omit<Cut, 'pages'> {
  readonly tag: string;
  readonly start: number;
}

export interface Block {
  /** The page that was wanted. */
  readonly first: Reply;
  readonly further: readonly Further[];
  /** As the tenant gave it; absent when it gave something else. */
  readonly whole?: ListPage;
}

const markField = 'gatehouse-block';
/** How long a tenant that could not give a block is asked for the callers' own pages alone. */
const restMs = 600_000;
const tooMuch: ReadonlySet<Kind> = new Set(['upstream-timeout', 'upstream-broke'] as const);

export class Blocks {
  readonly #now: () => number;
  /** Until when no block is asked for, by system and type. */
  readonly #resting = new Map<string, number>();
  /** Until when no load begins with a block, because nobody could say whether its total was an estimate. */
  readonly #unclear = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Undefined when the small page must be asked for instead. */
  async ask(
    operation: Operation,
    { startIndex, count }: Wanted,
    { scope, origin, before }: Pick<Reading, 'scope' | 'origin'> & { readonly before: Estimate },
    askTenant: (operation: Operation) => ReturnType<AskTenant>,
  ): Promise<Block | undefined> {
    const place = [operation.system, operation.resourceType, origin].join('\n');
    const isFirst = before === 'unknown';
    if (this.#lasts(this.#resting, place) || (isFirst && this.#lasts(this.#unclear, place))) return undefined;
    const reply = await askTenant(blockAt(operation, startIndex, blockSize(count))).catch(orTooMuch);
    if (reply && !mayBeTooMuch(reply)) return { first: reply, further: [] };
    const whole = reply && readListPage(unmarked(reply));
    if (whole && isFirst && isUnclear(whole, count)) {
      this.#unclear.set(place, this.#now() + restMs);
      return undefined;
    }
    const cut = whole && cutBlock(whole, startIndex, count, before);
    if (!cut) {
      this.#resting.set(place, this.#now() + restMs);
      return undefined;
    }
    return { ...blockOf(operation, cut, scope), whole };
  }

  #lasts(until: ReadonlyMap<string, number>, place: string): boolean {
    return (until.get(place) ?? 0) > this.#now();
  }
}

function blockOf(operation: Operation, { pages, ...cut }: Cut, scope: string): Block {
  const [first, ...others] = pages;
  const mark: Mark = { ...cut, tag: randomUUID(), start: first.startIndex };
  const marked = (reply: Reply): Reply => ({
    ...reply,
    headers: { ...reply.headers, [markField]: JSON.stringify(mark) },
  });
  const further = others.map(({ startIndex, reply }) => ({
    operation: pageAt(operation, startIndex),
    reply: marked(reply),
    scope: cut.drops ? scopeOfBlock(scope, mark.tag) : scope,
  }));
  return { first: marked(first.reply), further };
}

export function scopeOfBlock(scope: string, tag: string): string {
  return `${scope}\nof block ${tag}`;
}

/** Where blocks serve loads, the tenant's own pages for everybody else are kept apart. */
export function scopeOfOwn(scope: string): string {
  return `${scope}\nof the tenant`;
}

export function markOf({ headers }: Reply): Mark | undefined {
  const text = headers[markField];
  return text === undefined ? undefined : (JSON.parse(text) as Mark); // nobody else writes it: see unmarked
}

/** A tenant must not be taken for us. */
export function unmarked({ headers, ...reply }: Reply): Reply {
  const { [markField]: _, ...others } = headers;
  return { ...reply, headers: others };
}

function orTooMuch(thrown: unknown): undefined {
  if (thrown instanceof ScimError && tooMuch.has(thrown.kind)) return undefined;
  throw thrown;
}

/** Whether a smaller page could fare better: forbidden, unknown or busy it would be as well. */
function mayBeTooMuch({ status }: Reply): boolean {
  return status === 200 || status === 400 || status === 413 || status >= 500;
}
