/**
 * What of a call's operation and body a record holds: its meaning with pseudonyms for everybody who may read the trail, and
 * the identifiers in clear for the seal. Both are bounded; what was left out is told by the counts.
 */
import type { Operation } from '../scim/operation.ts';
import { changesOf, type Change, type Named } from './change.ts';
import type { Members } from './queue.ts';
import { capName, type Redactor } from './redact.ts';

/** Pseudonyms of members in one record. */
const maxListed = 200;
/** Names of attributes in one record. */
const maxPaths = 1000;
/** Characters of identifiers in one seal. */
const maxSealed = 48 * 1024;

export interface Content {
  readonly body: Members | undefined;
  /** One for each part of a bulk request, else one or none. */
  readonly changes: readonly Members[];
  /** JSON, in clear; empty when the call names nobody. */
  readonly identifiers: string;
}

/** @param sealed whether somebody can open seals; where nobody can, no identifiers are gathered */
export function contentOf(
  operation: Operation | undefined,
  body: Uint8Array | undefined,
  redactor: Redactor,
  sealed: boolean,
): Content {
  const changes = operation && body ? changesOf(operation, body) : [];
  const budget = { listed: maxListed, paths: maxPaths };
  return {
    body: body && redactor.body(body),
    changes: changes.map((change) => redacted(change, redactor, budget)),
    identifiers: sealed && operation ? identifiersOf(operation, changes) : '',
  };
}

interface Budget {
  listed: number;
  paths: number;
}

function redacted(change: Change, redactor: Redactor, budget: Budget): Members {
  const { paths, active, password, userName, added, removed, set, removedUnnamed } = change;
  const list = (named: Named | undefined): Members | undefined => {
    if (!named) return undefined;
    const ids = named.ids.slice(0, budget.listed).map((id) => redactor.pseudonym('id', id));
    budget.listed -= ids.length;
    return { count: named.count, ids };
  };
  const told = paths.slice(0, budget.paths);
  budget.paths -= told.length;
  const hasMembers = added ?? removed ?? set ?? removedUnnamed;
  return {
    paths: told,
    active,
    password,
    userName: userName === undefined ? undefined : redactor.pseudonym('value', userName),
    members: hasMembers && {
      added: list(added),
      removed: list(removed),
      set: list(set),
      removedUnnamed,
    },
  };
}

function identifiersOf({ id, parts }: Operation, changes: readonly Change[]): string {
  let left = maxSealed;
  let cut = false;
  let isSomebodyNamed = false;
  const take = (text: string | undefined): string | undefined => {
    const kept = text === undefined ? undefined : capName(text);
    if (kept === undefined) return undefined;
    isSomebodyNamed = true;
    left -= kept.length;
    cut ||= left < 0;
    return left < 0 ? undefined : kept;
  };
  const takeAll = (named: Named | undefined): string[] | undefined => {
    if (!named) return undefined;
    const kept = named.ids.map(take).filter((text) => text !== undefined);
    cut ||= kept.length < named.count;
    return kept;
  };
  const gather = (own: string | undefined, change: Change | undefined): Members => ({
    id: take(own),
    userName: take(change?.userName),
    added: takeAll(change?.added),
    removed: takeAll(change?.removed),
    set: takeAll(change?.set),
  });
  const named =
    parts.length === 0
      ? gather(id, changes[0])
      : { parts: parts.map((part, at) => gather(part.id, changes[at])) };
  return isSomebodyNamed ? JSON.stringify(cut ? { ...named, cut } : named) : '';
}
