/**
 * Where profiles meet the line: what a caller is known to write otherwise than it means is put right once, before anybody
 * is asked whether it may. Every repair leaves its name in the call's record; a caller without a profile is taken at its word.
 */
import { KnownIds } from '../profile/known-ids.ts';
import { repairMediaTypes } from '../profile/media-types.ts';
import { noNotes, type Notes } from '../profile/notes.ts';
import { PageNumbers } from '../profile/page-numbers.ts';
import type { Quirk, Quirks } from '../profile/quirks.ts';
import { singleSlashes } from '../profile/slashes.ts';
import { repairUnpagedList } from '../profile/unpaged-lists.ts';
import type { Call } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import type { Operation } from '../scim/operation.ts';
import type { Target } from '../scim/target.ts';
import type { Config } from './config.ts';
import type { Asked, System } from './place.ts';

/** What callers have shown of themselves; it outlives a reload. */
export class CallerHabits {
  readonly pageNumbers: PageNumbers;
  readonly ids: KnownIds;

  /** @param notes what replicas tell each other */
  constructor(notes: Notes = noNotes) {
    this.pageNumbers = new PageNumbers({ notes });
    this.ids = new KnownIds({ notes });
  }
}

export interface ProfileParts {
  /** By technical user; who repairs nothing is not in it. */
  readonly quirks: ReadonlyMap<string, Quirks>;
  readonly habits: CallerHabits;
  readonly systems: ReadonlyMap<string, System>;
}

export function quirksOf({ callers }: Pick<Config, 'callers'>): ReadonlyMap<string, Quirks> {
  return new Map(
    Object.values(callers)
      .filter(({ profile }) => profile.repairs.length > 0)
      .map(({ name, profile }) => [name, new Set(profile.repairs)]),
  );
}

/** Whether anybody has it. */
export function hasQuirk(quirks: ProfileParts['quirks'], quirk: Quirk): boolean {
  return [...quirks.values()].some((own) => own.has(quirk));
}

/** A target as it came, or as it would be with single slashes, which only some callers are granted. */
export interface ReadTarget {
  readonly target: Target;
  /** Why the target is refused of everybody else. */
  readonly fault?: unknown;
}

/** Throws as `parse` does where slashes are not all that is wrong, or nobody's are repaired. */
export function readTarget(
  { quirks }: Pick<ProfileParts, 'quirks'>,
  raw: string,
  parse: (raw: string) => Target,
): ReadTarget {
  try {
    return { target: parse(raw) };
  } catch (fault) {
    const isUnclean = fault instanceof ScimError && fault.kind === 'invalid-syntax';
    const single = isUnclean && hasQuirk(quirks, 'slashes') ? singleSlashes(raw) : undefined;
    const target = single === undefined ? undefined : parse(single);
    if (target?.segments[0] !== 'ipsproxy') throw fault;
    return { target, fault };
  }
}

/** A request as its caller means it, and what was repaired for that. */
export interface Meant {
  readonly call: Call;
  readonly operation: Operation;
  readonly repairs: readonly Quirk[];
}

/** Nothing of the request has been authorised yet, and its body has not been read. */
export async function repairRequest(
  { quirks, habits, systems }: ProfileParts,
  { caller, call, entry }: Pick<Asked, 'caller' | 'call' | 'entry'>,
  { target, fault }: ReadTarget,
  understand: (target: Target) => Operation,
): Promise<Meant> {
  const own = quirks.get(caller);
  if (fault !== undefined && !own?.has('slashes')) throw fault;
  const came = understand(target);
  entry.add({ operation: came });
  const system = came.api === 'proxy' ? systems.get(came.system) : undefined;
  if (fault !== undefined && !system) throw fault;
  if (!own || !system) return { call, operation: came, repairs: [] };
  const query = await repairQuery(own, habits, caller, came, system);
  const segments = own.has('lower-case-ids')
    ? await withTrueId(target.segments, habits.ids, came)
    : target.segments;
  const headers = own.has('media-types') ? repairMediaTypes(call, came, system.kind) : call.headers;
  const isSame = query === came.query && segments === target.segments;
  const made: readonly (readonly [Quirk, boolean])[] = [
    ['slashes', fault !== undefined],
    ['media-types', headers !== call.headers],
    ['page-numbers', query !== came.query && came.query.has('startIndex')],
    ['unpaged-lists', query !== came.query && !came.query.has('startIndex')],
    ['lower-case-ids', segments !== target.segments],
  ];
  const repairs = made.flatMap(([quirk, isMade]) => (isMade ? [quirk] : []));
  if (repairs.length > 0) entry.add({ repairs });
  return {
    call: headers === call.headers ? call : { ...call, headers },
    operation: isSame ? came : understand({ segments, query }),
    repairs,
  };
}

/** Only where the sizes of pages are known, which no standard says of other service providers. */
async function repairQuery(
  own: Quirks,
  { pageNumbers }: CallerHabits,
  caller: string,
  list: Operation,
  { kind, snapshot }: System,
): Promise<Operation['query']> {
  const { query } = list;
  if (list.kind !== 'list' || kind !== 'ips') return query;
  if (own.has('page-numbers') && query.has('startIndex')) return pageNumbers.repair(caller, list);
  return own.has('unpaged-lists') ? repairUnpagedList(list, snapshot.enabled) : query;
}

async function withTrueId(
  segments: Target['segments'],
  ids: KnownIds,
  { system, resourceType, id }: Operation,
): Promise<Target['segments']> {
  const known = id === undefined ? undefined : await ids.trueId(system, resourceType, id);
  return known === undefined || known === id ? segments : [...segments.slice(0, -1), known];
}
