/**
 * A request target as clean values: decoded path segments and query parameters, nothing raw.
 * `gateway/target.ts` makes it from the wire; `operation.ts` reads it; the upstream path is built anew from it.
 */
import { ScimError } from './error.ts';

export interface Parameter {
  readonly name: string;
  readonly value: string;
  /** The pair as it is written again: percent-encoding normalised, `+` and `%2B` kept apart. */
  readonly encoded: string;
}

export interface Target {
  /** Decoded, without the empty one of a trailing slash. */
  readonly segments: readonly string[];
  readonly query: Query;
}

export class Query {
  readonly #values: ReadonlyMap<string, string>;
  /** The parameters in a fixed order, ready to be sent and to be a cache key; empty when there are none. */
  readonly canonical: string;

  constructor(parameters: readonly Parameter[]) {
    const values = new Map<string, string>();
    for (const { name, value } of parameters) {
      const kind = name === 'filter' ? 'invalid-filter' : 'invalid-value';
      if (values.has(name)) throw new ScimError(kind, 'A query parameter is given more than once.');
      if (name === 'filter' && depthOf(value) > maxFilterDepth)
        throw new ScimError(kind, 'The filter is nested too deeply.');
      values.set(name, value);
    }
    this.#values = values;
    this.canonical = parameters
      .map(({ encoded }) => encoded)
      .toSorted()
      .join('&');
  }

  get(name: string): string | undefined {
    return this.#values.get(name);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }
}

/** Nobody asks so; a server that reads filters by recursion would suffer. */
const maxFilterDepth = 32;

/** Of its brackets outside quotes. */
function depthOf(filter: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [bracket] of filter.replaceAll(/"(?:[^"\\]|\\.)*"/g, '').matchAll(/[([\])]/g)) {
    depth += bracket === '(' || bracket === '[' ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

export const noQuery = new Query([]);

/** Percent-encodes what RFC 3986 does not allow in a path segment; `;` too, because servers give it meanings. */
export function encodeSegment(segment: string): string {
  return encodeURIComponent(segment).replaceAll(/%(?:3A|40|24|26|2B|2C|3D)/g, decodeURIComponent);
}
