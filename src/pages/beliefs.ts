/**
 * What probes have shown of two views of one resource: whether one may be told for the other. Nothing is believed before
 * a probe has found them equal, and nothing after one has found them different.
 */
import { isDeepStrictEqual } from 'node:util';

import type { Reply } from '../scim/call.ts';

/** After so many that were believed the next one is compared again. */
const probeEvery = 500;
/** A resource may have changed between two views of it; so many in a row have not. */
export const mostChanged = 5;

export interface Difference {
  readonly system: string;
  readonly resourceType: string;
  /** What was not what a single read says: a list page, or the reply to a write. */
  readonly of: 'page' | 'create' | 'replace';
  /** Names of attributes, never values. */
  readonly attributes: readonly string[];
}

export interface Belief {
  verdict: 'unknown' | 'equal' | 'different';
  /** How many may be believed before the next probe. */
  left: number;
  /** Ends with the probe that is under way. */
  probe: Promise<unknown> | undefined;
  /** Probes in a row that proved nothing, because the resource may have changed meanwhile. */
  changed: number;
}

export class Beliefs {
  readonly #beliefs = new Map<string, Belief>();

  of(...parts: readonly string[]): Belief {
    return this.#beliefs.getOrInsertComputed(parts.join('\n'), () => ({
      verdict: 'unknown',
      left: 0,
      probe: undefined,
      changed: 0,
    }));
  }

  /** Whether a probe has found two views of that system equal; the first of the parts is the system. */
  haveEqual(system: string): boolean {
    return [...this.#beliefs].some(
      ([parts, { verdict }]) => verdict === 'equal' && parts.startsWith(`${system}\n`),
    );
  }
}

/** Learns from a probe. @returns the names of what differs, for a belief that ends with it; else none */
export function learn(belief: Belief, believed: Reply, single: Reply): readonly string[] {
  const { attributes, wasChanged } = compare(believed, single);
  belief.changed = wasChanged ? belief.changed + 1 : 0;
  if (wasChanged && belief.changed < mostChanged) return [];
  // What was believed while the probe was under way counts as well.
  belief.left = probeEvery - 1 + Math.min(0, belief.left);
  belief.verdict = attributes.length === 0 ? 'equal' : 'different';
  return attributes;
}

export function areAlike(believed: Reply, single: Reply): boolean {
  return compare(believed, single).attributes.length === 0;
}

interface Comparison {
  /** Names of those that differ, a few of them. */
  readonly attributes: readonly string[];
  /** By its own word the resource is not the one that was believed. */
  readonly wasChanged: boolean;
}

function compare(believed: Reply, single: Reply): Comparison {
  const before = membersIn(believed);
  const own = membersIn(single);
  const names = [...new Set([...Object.keys(before), ...Object.keys(own)])];
  const differing = names
    .filter((name) => !isDeepStrictEqual(before[name], own[name]))
    .toSorted()
    .slice(0, 10);
  if (differing.length === 0 && believed.headers['etag'] !== single.headers['etag'])
    return { attributes: ['meta'], wasChanged: false };
  const wasChanged = ['version', 'lastModified'].some((name) => {
    const [one, other] = [member(before['meta'], name), member(own['meta'], name)];
    return one !== undefined && other !== undefined && one !== other;
  });
  return { attributes: differing, wasChanged };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** Both are JSON objects, which the line has made sure of. */
function membersIn({ body }: Reply): Record<string, unknown> {
  return JSON.parse(body.toString('utf8')) as Record<string, unknown>;
}
