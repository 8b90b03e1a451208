/**
 * What the tenant remembers of entities that it has provisioned: per source system, entity and target system
 * the id over there and what was last written (facts: IPS 9). Change detection and deletion rest on it.
 */
import type { ResourceType } from './resource.ts';

export interface Correlation {
  readonly targetId: string;
  /** Of the resource that was last written. */
  readonly digest: string;
  /** The entity was in the target before the tenant first wrote it. */
  readonly existedBefore: boolean;
}

export class Correlations {
  readonly #known = new Map<string, Map<string, Correlation>>();

  /** Those of one pair of systems and one type, by the id in the source. */
  between(source: string, target: string, type: ResourceType): Map<string, Correlation> {
    return this.#known.getOrInsertComputed(`${source} ${target} ${type}`, () => new Map());
  }
}
