/**
 * Which part of a filter an index of the directory can answer. The whole filter is evaluated on what the
 * index yields, so a term found here only has to be necessary, never sufficient.
 */
import type { Filter } from './filter.ts';

export interface IndexedTerm {
  readonly column: 'id' | 'name' | 'external' | 'email' | 'modified';
  readonly sign: '=' | '>' | '>=';
  readonly value: string;
}

const columns: Readonly<Record<string, { column: IndexedTerm['column']; folded: boolean }>> = {
  id: { column: 'id', folded: false },
  username: { column: 'name', folded: true },
  externalid: { column: 'external', folded: false },
  'emails[0].value': { column: 'email', folded: true },
  'meta.lastmodified': { column: 'modified', folded: false },
};
const signs: Readonly<Record<string, IndexedTerm['sign']>> = { eq: '=', gt: '>', ge: '>=' };

export function indexedTerm(filter: Filter): IndexedTerm | undefined {
  if (filter.kind === 'and') return indexedTerm(filter.right) ?? indexedTerm(filter.left);
  if (filter.kind !== 'compare' || filter.path.urn !== undefined || typeof filter.value !== 'string')
    return undefined;
  const found = columns[filter.path.names.join('.').toLowerCase()];
  const sign = signs[filter.operator];
  if (!found || !sign) return undefined;
  return { column: found.column, sign, value: found.folded ? filter.value.toLowerCase() : filter.value };
}
