/**
 * What of a filter an index of the directory can answer. A term is necessary for a match; only an exact one,
 * which is the whole filter, is sufficient.
 */
import type { Filter } from './filter.ts';
import type { ResourceType } from './resource.ts';

export interface IndexedTerm {
  readonly column: 'id' | 'name' | 'external' | 'email' | 'modified';
  readonly sign: '=' | '>' | '>=';
  readonly value: string;
  readonly exact: boolean;
}

interface Column {
  readonly column: IndexedTerm['column'];
  /** The index holds lower case, because the attribute is compared so. */
  readonly folded: boolean;
}

const shared: Readonly<Record<string, Column>> = {
  id: { column: 'id', folded: false },
  externalid: { column: 'external', folded: false },
  'emails[0].value': { column: 'email', folded: true },
  'meta.lastmodified': { column: 'modified', folded: false },
};
const columns: Readonly<Record<ResourceType, Readonly<Record<string, Column>>>> = {
  Users: { ...shared, username: { column: 'name', folded: true } },
  Groups: { ...shared, displayname: { column: 'name', folded: true } },
};
const signs: Readonly<Record<string, IndexedTerm['sign']>> = { eq: '=', gt: '>', ge: '>=' };

export function indexedTerm(filter: Filter, type: ResourceType): IndexedTerm | undefined {
  if (filter.kind === 'and') {
    const term = indexedTerm(filter.right, type) ?? indexedTerm(filter.left, type);
    return term && { ...term, exact: false };
  }
  if (filter.kind !== 'compare' || filter.path.urn !== undefined || typeof filter.value !== 'string')
    return undefined;
  const found = columns[type][filter.path.names.join('.').toLowerCase()];
  const sign = signs[filter.operator];
  if (!found || !sign) return undefined;
  const value = found.folded ? filter.value.toLowerCase() : filter.value;
  return { column: found.column, sign, value, exact: sign === '=' || found.column === 'modified' };
}

/** The rows of a type in which the term holds. */
export function conditionOf(type: ResourceType, term: IndexedTerm | undefined) {
  if (!term) return { where: 'type = ?', values: [type] };
  return { where: `type = ? AND ${term.column} ${term.sign} ?`, values: [type, term.value] };
}

/** Whether the filter looks at `groups` or `members`, which cost a query per resource. */
export function asksForMemberships(filter: Filter): boolean {
  if ('left' in filter) return asksForMemberships(filter.left) || asksForMemberships(filter.right);
  if (filter.kind === 'not') return asksForMemberships(filter.inner);
  return /^(groups|members)/i.test(filter.path.names[0] ?? '');
}
