/**
 * Names of entries and generations in a store. Names are keyed MACs, because a filter or an id is personal data
 * and a plain hash of it could be guessed; only the system stands in clear, as the Cluster hash tag that keeps
 * an entry and its generations on one node.
 */
import { createHmac } from 'node:crypto';

import { folded } from '../scim/folded.ts';
import type { Operation, Touch } from '../scim/operation.ts';

/** Generations of this format are what replicas agree on while one after the other is replaced, so it stays. */
const format = 'gh1';
/** Changes whenever what an entry is or stands for changes, so that old ones are never found again. */
const entryFormat = 'entry 3';

export interface EntryName {
  readonly key: string;
  /** What the key is the MAC of: everything that must be equal for an entry to be the answer. */
  readonly meaning: Buffer;
  /** Whatever a write may change carries at least one of these, and the epoch (docs/decisions/0003-generations.md). */
  readonly generations: readonly string[];
}

export interface Variant {
  readonly accept: string | undefined;
  /** Empty, or the caller's name when callers must not share the entries of a system. */
  readonly scope: string;
  /** Where the tenant has the system: an id that is given to another system must not bring the old one's entries. */
  readonly origin: string;
}

export function createNaming(secret: Buffer) {
  function nameOf({ tenant, system }: Operation, parts: readonly string[]): Omit<EntryName, 'generations'> {
    const meaning = lengthPrefixed([format, tenant, system, ...parts]);
    const mac = createHmac('sha256', secret).update(meaning).digest('base64url');
    return { key: `${spaceFor(system)}:${mac}`, meaning };
  }

  function generation(operation: Operation, { scope, resourceType, id }: Touch): string {
    const ids = scope === 'one' ? [folded(id ?? '')] : [];
    return nameOf(operation, ['generation', scope, resourceType, ...ids]).key;
  }

  function dependencies(operation: Operation): string[] {
    const own = dependenciesOf(operation).map((touch) => generation(operation, touch));
    return [...own, epochOf(spaceFor(operation.system))];
  }

  /** The generations that end with this write; never the epoch, which no write can end. */
  function touchedBy(operation: Operation): string[] {
    const touches = [operation, ...operation.parts].flatMap((part) => part.touches);
    return [...new Set(touches.map((touch) => generation(operation, touch)))];
  }

  return {
    entryOf(operation: Operation, { accept, scope, origin }: Variant): EntryName {
      const { kind, path, query } = operation;
      const asked = [origin, scope, kind, path, query.canonical, accept ?? ''];
      return { ...nameOf(operation, [entryFormat, ...asked]), generations: dependencies(operation) };
    },

    touchedBy,

    /**
     * What shows whether another write came in between, for one that brings back the resource it made: every write that
     * can change this resource ends one of `generations`, and this one ends the guard among them.
     */
    watchedBy(operation: Operation): { generations: readonly string[]; guard: string } | undefined {
      const seen = { create: 'list', replace: 'get' } as const;
      if (operation.kind !== 'create' && operation.kind !== 'replace') return undefined;
      const generations = dependencies({ ...operation, kind: seen[operation.kind] });
      const ended = new Set(touchedBy(operation));
      const guard = generations.findLast((each) => ended.has(each));
      return guard === undefined ? undefined : { generations, guard };
    },
  };
}

export type Naming = ReturnType<typeof createNaming>;

/** The counterpart of `Operation.touches`: what would have to be touched for this reading to become stale. */
function dependenciesOf({ kind, resourceType, id }: Operation): Touch[] {
  const all: Touch = { scope: 'all', resourceType };
  if (kind === 'get' && id !== undefined) return [all, { scope: 'one', resourceType, id }];
  return kind === 'list' ? [all, { scope: 'lists', resourceType }] : [all];
}

function spaceFor(system: string): string {
  return `${format}:{${encodeURIComponent(system)}}`;
}

/** The part of a key up to its Cluster hash tag: what shares it lives on one node. */
export function spaceOf(key: string): string {
  return key.slice(0, key.indexOf('}') + 1);
}

/** The generation of all that shares a key's space: it ends when the store comes from an earlier day (redis-epochs.ts). */
export function epochOf(key: string): string {
  return `${spaceOf(key)}:epoch`;
}

/** Joins parts so that no two lists of parts give the same bytes. */
export function lengthPrefixed(parts: readonly (string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.flatMap((part) => {
      const bytes = typeof part === 'string' ? Buffer.from(part) : part;
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return [length, bytes];
    }),
  );
}
