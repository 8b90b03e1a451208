/**
 * What stands behind a system: the few verbs that the tenant needs of any connected backend.
 * Backends differ on purpose (total or none, native filter or none); a failure is always a `BackendFailure`.
 */
import type { Literal, Operator } from './filter.ts';
import type { Resource, ResourceType } from './resource.ts';

/** One comparison in the backend's own attribute names. */
export interface Comparison {
  readonly attribute: string;
  readonly operator: Operator;
  readonly value: Literal;
}

export interface PageRequest {
  /** 1-based. */
  readonly startIndex: number;
  readonly count: number;
  readonly match?: Comparison;
  /** The system's filter property, combined by AND with `match` (facts: IPS 3.3). */
  readonly restriction?: string;
  /** A page of a job's full read, which IPS repeats after a timeout (facts: IPS 5.3). */
  readonly ofFullRead?: boolean;
}

export interface Page {
  readonly resources: readonly Resource[];
  readonly total?: number;
}

export interface Backend extends AsyncDisposable {
  /** Its base address; quoted in errors. */
  readonly url: string;
  readonly givesTotal: boolean;
  /** Whether it can search natively; a filtered call to a system without that is refused. */
  readonly filters: boolean;
  /** The native id of one of its entities. */
  idOf(type: ResourceType, entity: Resource): string;
  page(type: ResourceType, request: PageRequest): Promise<Page>;
  /** How many entities a reader of all pages has seen; the tenant needs it for the last page only. */
  count(type: ResourceType, request: Pick<PageRequest, 'match' | 'restriction'>): Promise<number>;
  get(type: ResourceType, id: string): Promise<Resource>;
  /** @param id the native id, where the write transformation decides it and not the backend */
  create(type: ResourceType, resource: Resource, id?: string): Promise<Resource>;
  replace(type: ResourceType, id: string, resource: Resource): Promise<Resource>;
  patch(type: ResourceType, id: string, patch: unknown): Promise<void>;
  delete(type: ResourceType, id: string): Promise<void>;
}

/** The comparison and the restriction as one SCIM filter. */
export function scimFilterOf({
  match,
  restriction,
}: Pick<PageRequest, 'match' | 'restriction'>): string | undefined {
  const comparison = match && `${match.attribute} ${match.operator} ${JSON.stringify(match.value)}`;
  if (comparison && restriction) return `(${restriction}) and ${comparison}`;
  return comparison ?? restriction;
}
