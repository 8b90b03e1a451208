/**
 * Makes the next edition of a snapshot out of a whole reading, and puts it in force. The invariant: who was in the edition
 * before leaves it on the tenant's own word only, and an edition that is empty or much smaller does not replace another.
 */
import { randomUUID } from 'node:crypto';

import type { Reply } from '../scim/call.ts';
import type { Board, Edition, Start } from './board.ts';
import { collect, CollectFault, type Collected, type Fault } from './collect.ts';
import { tellsChanges, type AskChanged } from './delta.ts';
import { sampleReferences } from './mentions.ts';
import { partsOf } from './parts.ts';
import { EditionReader, idsName, partName } from './reader.ts';
import { wordOf } from './roster.ts';

/** The way to the tenant for what nobody waits for: each call takes its turn when nobody else wants it. */
export interface Source {
  readonly page: (startIndex: number, count: number) => Promise<Reply>;
  readonly single: (id: string) => Promise<Reply>;
  readonly changed: AskChanged;
}

export interface BuildOptions {
  readonly source: Source;
  readonly maxBytes: number;
  /** How long an edition may be in force. */
  readonly lifetimeMs: number;
  /** Whether a guard has allowed an edition of any size. */
  readonly isReleased: boolean;
}

export interface NotBuilt {
  readonly fault: Fault | 'empty' | 'shrunk';
  /** How many resources there were and would be. */
  readonly before?: number;
  readonly after?: number;
}

export type Built = { readonly edition: Edition } | NotBuilt;

/** Stands for a tenant that need not be asked, because a guard has looked. */
const nobody: Source['single'] = async () => ({ status: 404, headers: {}, body: Buffer.alloc(0) });

/** What a new edition may be smaller at most. */
const mostShrink = 0.05;

export async function build(board: Board, start: Start, options: BuildOptions): Promise<Built> {
  const begunAt = Date.now();
  try {
    const collected = await collect({ askPage: options.source.page, maxBytes: options.maxBytes });
    const { total, ids: before } = await editionBefore(board, start);
    const missing = before?.filter((id) => !collected.bodies.has(id));
    const single = options.isReleased ? nobody : options.source.single;
    const { deleted, leaving, unheard } = await withoutDeleted(board, missing, single);
    const count = total - deleted;
    const size = collected.bodies.size + leaving.length;
    if (size === 0 && count > 0) return { fault: 'empty', before: count, after: 0 };
    const isMuch = size < count * (1 - mostShrink);
    if (isMuch && !options.isReleased) return { fault: 'shrunk', before: count, after: size };
    const bodies = new Map([...collected.bodies, ...leaving, ...(await stillThere(unheard, single))]);
    // A system that fails at this question does not tell.
    const tells = await tellsChanges(bodies, options.source.changed).catch(() => false);
    const content = { ...collected, bodies, before: before ?? [], begunAt, tellsChanges: tells };
    return await keep(board, start, content, options.lifetimeMs);
  } catch (cause) {
    if (cause instanceof CollectFault) return { fault: cause.fault };
    throw cause;
  }
}

interface Before {
  readonly total: number;
  /** Undefined where they are lost: then only their number is known. */
  readonly ids: readonly string[] | undefined;
}

async function editionBefore(board: Board, { before: edition }: Start): Promise<Before> {
  if (!edition) return { total: 0, ids: [] };
  const reader = new EditionReader(board);
  const ids = await reader.ids(edition);
  if (!ids && !reader.hasLost(edition)) throw new CollectFault('not-kept');
  return { total: edition.total, ids };
}

interface Missing {
  /** How many of them have been deleted through us. */
  readonly deleted: number;
  /** Who was to be deleted, and is there all the same. */
  readonly leaving: readonly [string, Buffer][];
  readonly unheard: readonly string[];
}

/** Where nobody knows whether a deletion through us was carried out, the tenant is asked before anybody judges the size. */
async function withoutDeleted(
  board: Board,
  missing: readonly string[] | undefined,
  single: Source['single'],
): Promise<Missing> {
  const deletions = await board.deletions();
  if (!deletions) throw new CollectFault('not-kept');
  const { gone, leaving } = deletions;
  if (!missing) return { deleted: gone.size, leaving: [], unheard: [] };
  const left = missing.filter((id) => !gone.has(id));
  const unheard = left.filter((id) => !leaving.has(id));
  const found = await stillThere(
    left.filter((id) => leaving.has(id)),
    single,
  );
  return { deleted: missing.length - unheard.length - found.length, leaving: found, unheard };
}

/** Whom a page has not shown may have moved while others were read: each is asked for by himself. */
async function stillThere(missing: readonly string[], single: Source['single']): Promise<[string, Buffer][]> {
  const found: [string, Buffer][] = [];
  for (const id of missing) {
    const word = wordOf(await single(id), id);
    if (word === undefined) throw new CollectFault('tenant-error');
    if (word !== 'gone') found.push([id, word]);
  }
  return found;
}

interface Content extends Collected {
  readonly before: readonly string[];
  readonly begunAt: number;
  readonly tellsChanges: boolean;
}

async function keep(board: Board, start: Start, content: Content, lifetimeMs: number): Promise<Built> {
  const { before, bodies, begunAt, bytes, contentType, tellsChanges: tells } = content;
  const name = { name: randomUUID() };
  // Who was there stays at his place, so that a load that is under way goes on where it was.
  const ids = [...new Set([...before.filter((id) => bodies.has(id)), ...bodies.keys()])];
  const parts: number[] = [];
  const inOrder = ids.map((id) => ({ id, body: bodies.get(id) ?? Buffer.alloc(0) }));
  let isKept = await board.keep(idsName(name), Buffer.from(JSON.stringify(ids)), lifetimeMs);
  for (const part of partsOf(inOrder)) {
    isKept &&= await board.keep(partName(name, parts.length), part.bytes, lifetimeMs);
    parts.push(part.count);
  }
  const references = sampleReferences(bodies.values());
  const edition: Edition = {
    ...name,
    begunAt,
    total: ids.length,
    bytes,
    parts,
    contentType,
    references,
    tellsChanges: tells,
  };
  if (!isKept) {
    await board.drop(namesOf(edition));
    return { fault: 'not-kept' };
  }
  // Without an answer it may be in force all the same, so its parts stay for as long as they last.
  if (!(await board.publish(start, edition))) return { fault: 'not-kept' };
  if (start.before) await board.drop(namesOf(start.before));
  return { edition };
}

function namesOf(edition: Edition): string[] {
  return [idsName(edition), ...edition.parts.map((_, number) => partName(edition, number))];
}
