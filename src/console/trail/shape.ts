/**
 * A record without what is its own: two records with the same shape answer every question of a facet alike, so a query is
 * put to shapes instead of records. Invariant: what `matcherOf` asks for by an exact text is in the shape or among the words.
 */
import { Entry } from '../../audit/entry.ts';
import { matcherOf, type Query } from '../../audit/query.ts';
import { factsOf } from '../../audit/record-facts.ts';
import { classOf, type Class } from '../../audit/survey.ts';

export type { Class };

/** Members that have few values; everything else tells one record from another. */
const kept = {
  actor: ['name'],
  op: ['system', 'tenant', 'kind', 'effect', 'resourceType'],
  upstream: ['tenant', 'system', 'status'],
  outcome: ['result', 'error', 'http'],
} as const;

export function shapeOf(entry: Entry): string {
  const shape: Record<string, unknown> = { event: entry.event };
  for (const [member, names] of Object.entries(kept)) {
    const value = entry.object(member);
    if (value) shape[member] = Object.fromEntries(names.map((name) => [name, value[name]]));
  }
  return JSON.stringify(shape);
}

/** A shape as a record, for whoever asks records. */
export function entryOfShape(text: string): Entry {
  const { event } = JSON.parse(text) as { readonly event: string };
  return new Entry('', { chain: '', number: 0, firstSeq: 0 }, { seq: 0, ts: '', event }, Buffer.from(text));
}

const pseudonym = /"(p\d{4}q[1-4]:[\w-]{22})"/g;

/** What a record alone may say, and somebody may look for. */
export function wordsOf(entry: Entry): Set<string> {
  const words = new Set<string>();
  for (const [, found] of entry.line.toString('latin1').matchAll(pseudonym)) words.add(found ?? '');
  for (const path of ownTexts) {
    const text = entry.text(...path);
    if (text !== undefined) words.add(text);
  }
  return words;
}

const ownTexts = [
  ['src', 'ip'],
  ['facts', 'source'],
  ['req'],
  ['corr', 'callerId'],
  ['upstream', 'requestId'],
];

/** A query, parted into what shapes answer and what only the record itself does. */
export interface Asked {
  readonly matchesShape: (shape: Entry) => boolean;
  readonly matches: (entry: Entry) => boolean;
  /** A record has one of each list in it; empty when shapes tell everything. */
  readonly words: readonly (readonly string[])[];
}

/** What became of a call, as a criterion of its own. */
export interface ConsoleQuery extends Query {
  readonly outcome?: Class | undefined;
}

/** Who looks; what they have looked at since they logged on names the same person, and is no finding. */
export interface Looker {
  readonly user: string;
  readonly subject?: string;
  readonly by: string;
  /** ms since 1970. */
  readonly since: number;
}

/** @param looker whose own looks for a person are left out, unless events were asked for by name */
export function askedOf({ outcome, ...query }: ConsoleQuery, looker?: Looker): Asked {
  const { pseudonyms, request, address, ...ofShape } = query;
  const hasOutcome = (entry: Entry): boolean => outcome === undefined || endOf(entry) === outcome;
  const shapeFits = matcherOf(ofShape);
  const recordFits = matcherOf(query);
  const own = pseudonyms && query.event === undefined ? looker : undefined;
  return {
    matchesShape: (shape) => shapeFits(shape) && hasOutcome(shape),
    matches: (entry) => recordFits(entry) && hasOutcome(entry) && !(own && isLookOf(own, entry)),
    words: [pseudonyms, request && [request], address && [address]].filter(
      (list) => list !== undefined && list !== '',
    ),
  };
}

function isLookOf({ user, subject, by, since }: Looker, entry: Entry): boolean {
  const text = (name: string): string | undefined => entry.text('facts', name);
  const isOwn = text('user') === user && text('subject') === subject && text('by') === by;
  return entry.event === 'console.viewed' && isOwn && Date.parse(entry.ts) >= since;
}

/** Of the record that ends a call, else undefined. */
export function endOf(entry: Entry): Class | undefined {
  if (entry.number('outcome', 'http') === undefined || entry.event === 'request.withheld') return undefined;
  return classOf(factsOf(entry));
}

/** What a shape counts as in a histogram and its facets. */
export interface ShapeFacts {
  readonly end: Class | undefined;
  readonly event: string;
  readonly caller: string | undefined;
  readonly system: string | undefined;
  readonly kind: string | undefined;
  readonly resourceType: string | undefined;
}

export function shapeFactsOf(entry: Entry): ShapeFacts {
  const { caller, system, resourceType } = factsOf(entry);
  return {
    end: endOf(entry),
    event: entry.event,
    caller,
    system,
    kind: entry.text('op', 'kind'),
    resourceType,
  };
}
