/**
 * Single reads out of pages that were read already. The invariant: nothing is served from a page before a probe has
 * found the tenant's single read of that system and type equal to its page, and nothing after one has found them
 * different.
 */
import type { Reply } from '../scim/call.ts';
import { type Belief, Beliefs, type Difference, learn } from './beliefs.ts';
import type { Answer, Reading } from './memory.ts';
import { scopeOfSingles } from './wanted.ts';

export class SingleReads {
  readonly #onDifference: (difference: Difference) => void;
  readonly #beliefs = new Beliefs();
  /** Where single reads were found to carry an ETag, and where none. */
  readonly #tagged = new Map<Belief, boolean>();

  constructor(onDifference: (difference: Difference) => void) {
    this.#onDifference = onDifference;
  }

  /** Whether a single read of that system was compared with a page, and said the same. */
  agreedAt(system: string): boolean {
    return this.#beliefs.haveEqual(system);
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
      return { ...found, reply: this.#asTold(found.reply, belief) };
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
    this.#learnTag(belief, found.reply, answer.reply);
    const attributes = learn(belief, this.#asTold(found.reply, belief), answer.reply);
    if (attributes.length > 0) this.#onDifference({ system, resourceType, of: 'page', attributes });
    return answer;
  }

  /**
   * A page has no ETags. The version in `meta` is one where single reads carry it (RFC 7644 §3.14), and there are tenants that
   * send none (facts: IPS 3.6).
   */
  #learnTag(belief: Belief, found: Reply, single: Reply): void {
    const version = found.headers['etag'];
    const tag = single.headers['etag'];
    if (version === undefined || this.#tagged.has(belief)) return;
    if (tag === undefined || tag === version) this.#tagged.set(belief, tag !== undefined);
  }

  #asTold(found: Reply, belief: Belief): Reply {
    if (found.headers['etag'] === undefined || this.#tagged.get(belief) === true) return found;
    const { etag: _, ...headers } = found.headers;
    return { ...found, headers };
  }

  #beliefOf({ operation, origin }: Reading): Belief {
    return this.#beliefs.of(operation.system, operation.resourceType, origin);
  }
}

function askSingle<A extends Answer>({ operation, scope, memory, askTenant }: Reading<A>): Promise<A> {
  return memory.read(operation, scope, (asked) => askTenant(operation, asked));
}
