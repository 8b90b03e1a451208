/**
 * Single reads out of pages that were read already. The invariant: nothing is served from a page before a probe has
 * found the tenant's single read of that system and type equal to its page, and nothing after one has found them
 * different.
 */
import { isDeepStrictEqual } from 'node:util';

import type { Reply } from '../scim/call.ts';
import type { Answer, Reading } from './memory.ts';
import { scopeOfSingles } from './wanted.ts';

/** After so many reads out of pages the next one is compared again. */
const probeEvery = 500;
/** A resource may have changed since its page was read; so many in a row have not. */
const mostChanged = 5;

export interface Difference {
  readonly system: string;
  readonly resourceType: string;
  /** Names of attributes, never values. */
  readonly attributes: readonly string[];
}

interface Belief {
  verdict: 'unknown' | 'equal' | 'different';
  /** How many reads may be served before the next probe. */
  left: number;
  probe: Promise<unknown> | undefined;
  changed: number;
}

export class SingleReads {
  readonly #onDifference: (difference: Difference) => void;
  readonly #beliefs = new Map<string, Belief>();

  constructor(onDifference: (difference: Difference) => void) {
    this.#onDifference = onDifference;
  }

  /** Whether pages of this type are worth remembering as single resources. */
  mayFill(reading: Reading): boolean {
    return reading.settings.singleReads && this.#beliefOf(reading).verdict !== 'different';
  }

  async read<A extends Answer>(reading: Reading<A>): Promise<A> {
    const { operation, scope, memory } = reading;
    const isPlain = operation.query.canonical === '';
    if (!isPlain || !reading.mayServe || !this.mayFill(reading)) return askSingle(reading);
    const own = await memory.recall(operation, scope);
    if (own) return own;
    const found = await memory.recall(operation, scopeOfSingles(scope));
    return found ? this.#judge(reading, found) : askSingle(reading);
  }

  async #judge<A extends Answer>(reading: Reading<A>, found: A): Promise<A> {
    const belief = this.#beliefOf(reading);
    if (belief.verdict === 'unknown' && belief.probe) {
      await belief.probe;
      if (belief.verdict === 'unknown') return askSingle(reading);
    }
    if (belief.verdict === 'different') return askSingle(reading);
    if (belief.verdict === 'equal' && (belief.left > 0 || belief.probe)) {
      belief.left -= 1;
      return found;
    }
    const probe = this.#probe(reading, found, belief).finally(() => {
      belief.probe = undefined;
    });
    // Its fault is told to its own caller; the others only want to know what was learnt.
    belief.probe = probe.catch(() => undefined);
    return probe;
  }

  async #probe<A extends Answer>(reading: Reading<A>, found: A, belief: Belief): Promise<A> {
    const { system, resourceType } = reading.operation;
    const answer = await askSingle(reading);
    if (answer.reply.status !== 200) return answer;
    const { attributes, wasChanged } = compare(found.reply, answer.reply);
    belief.changed = wasChanged ? belief.changed + 1 : 0;
    if (wasChanged && belief.changed < mostChanged) return answer;
    belief.left = probeEvery - 1;
    belief.verdict = attributes.length === 0 ? 'equal' : 'different';
    if (attributes.length > 0) this.#onDifference({ system, resourceType, attributes });
    return answer;
  }

  #beliefOf({ operation, origin }: Reading): Belief {
    const { system, resourceType } = operation;
    return this.#beliefs.getOrInsertComputed([system, resourceType, origin].join('\n'), () => ({
      verdict: 'unknown',
      left: 0,
      probe: undefined,
      changed: 0,
    }));
  }
}

function askSingle<A extends Answer>({ operation, scope, memory, askTenant }: Reading<A>): Promise<A> {
  return memory.read(operation, scope, (asked) => askTenant(operation, asked));
}

interface Comparison {
  /** Names of those that differ, a few of them. */
  readonly attributes: readonly string[];
  /** By its own word the resource is not the one that the page had. */
  readonly wasChanged: boolean;
}

function compare(ofPage: Reply, single: Reply): Comparison {
  const page = membersIn(ofPage);
  const own = membersIn(single);
  const names = [...new Set([...Object.keys(page), ...Object.keys(own)])];
  const differing = names
    .filter((name) => !isDeepStrictEqual(page[name], own[name]))
    .toSorted()
    .slice(0, 10);
  if (differing.length === 0 && ofPage.headers['etag'] !== single.headers['etag'])
    return { attributes: ['meta'], wasChanged: false };
  const [before, now] = [page['meta'], own['meta']];
  const wasChanged = ['version', 'lastModified'].some((name) => {
    const [one, other] = [member(before, name), member(now, name)];
    return one !== undefined && other !== undefined && one !== other;
  });
  return { attributes: differing, wasChanged };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** The reply of a read is a JSON object, which the line has made sure of. */
function membersIn({ body }: Reply): Record<string, unknown> {
  return JSON.parse(body.toString('utf8')) as Record<string, unknown>;
}
