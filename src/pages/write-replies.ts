/**
 * What a POST or PUT brings back, kept as the single read that would follow it. The invariant: nothing is kept before a
 * probe has found that system's reply equal to the read after it, nothing after one has found them different, and
 * nothing that another write may have overtaken.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Reply } from '../scim/call.ts';
import type { Operation } from '../scim/operation.ts';
import { areAlike, type Belief, Beliefs, type Difference, learn, mostChanged } from './beliefs.ts';
import { idOf } from './list-page.ts';
import type { Further } from './memory.ts';
import { ownHeaders, singleOf } from './wanted.ts';

/** What this needs of the cache for one write. */
export interface WriteMemory<Watch> {
  watch(operation: Operation): Promise<Watch | undefined>;
  forget(operation: Operation): Promise<void>;
  forgetWatched(operation: Operation, watch: Watch): Promise<Watch | undefined>;
  holds(watch: Watch): Promise<boolean>;
  keep(further: Further, watch: Watch, askedAt: number): void;
}

export interface Writing<Watch> {
  readonly operation: Operation;
  readonly scope: string;
  readonly origin: string;
  readonly isOn: boolean;
  /** How long a write may be under way that the tenant shows already. */
  readonly underWayMs: number;
  readonly memory: WriteMemory<Watch>;
  /** Reads what was written, for nobody; undefined while the tenant's quota has better uses. */
  readonly probe: () => ((operation: Operation) => Promise<Reply>) | undefined;
}

/** A write that is under way. */
export interface Written {
  /** To be called whenever it was sent, before its caller is answered; without a reply its outcome may be unknown. */
  settle(reply: Reply | undefined): Promise<void>;
}

export class WriteReplies {
  readonly #onDifference: (difference: Difference) => void;
  readonly #now: () => number;
  readonly #beliefs = new Beliefs();
  /** Systems one of whose replies was not what its read says. */
  readonly #off = new Set<string>();

  /** @param now wall-clock ms */
  constructor(onDifference: (difference: Difference) => void, now: () => number = Date.now) {
    this.#onDifference = onDifference;
    this.#now = now;
  }

  async begin<Watch>(writing: Writing<Watch>): Promise<Written> {
    const { operation, memory } = writing;
    const watch = this.#mayHelp(writing) ? await memory.watch(operation) : undefined;
    const askedAt = this.#now();
    return {
      settle: async (reply) => {
        if (!watch || !reply) return memory.forget(operation);
        const after = await memory.forgetWatched(operation, watch);
        const made = after && resourceIn(writing, reply);
        if (made) this.#use(writing, after, made, askedAt);
      },
    };
  }

  #mayHelp<Watch>({ operation, origin, isOn }: Writing<Watch>): boolean {
    const { kind, query, system } = operation;
    if (!isOn || query.canonical !== '' || (kind !== 'create' && kind !== 'replace')) return false;
    return !this.#off.has(placeOf(system, origin));
  }

  #use<Watch>(writing: Writing<Watch>, watch: Watch, made: Further, askedAt: number): void {
    const belief = this.#beliefOf(writing);
    if (belief.verdict === 'equal' && belief.left > 0) {
      belief.left -= 1;
      if (this.#mayHelp(writing)) writing.memory.keep(made, watch, askedAt);
      return;
    }
    const ask = belief.probe ? undefined : writing.probe();
    if (!ask) return;
    // Nobody waits for it, and what came of it is in the trail. The next write asks again.
    belief.probe = this.#compare(writing, watch, made, ask)
      .catch(() => undefined)
      .finally(() => {
        belief.probe = undefined;
      });
  }

  async #compare<Watch>(
    writing: Writing<Watch>,
    watch: Watch,
    made: Further,
    ask: (operation: Operation) => Promise<Reply>,
  ): Promise<void> {
    const { system, resourceType, kind } = writing.operation;
    const single = await ask(made.operation);
    if (single.status !== 200) return;
    const belief = this.#beliefOf(writing);
    if (!areAlike(made.reply, single)) {
      // What somebody else has written meanwhile proves nothing; when it is answered, the watch has ended.
      await sleep(writing.underWayMs, undefined, { ref: false });
      const isOvertaken = !(await writing.memory.holds(watch));
      if (isOvertaken && (belief.changed += 1) < mostChanged) return;
    }
    const attributes = learn(belief, made.reply, single);
    if (attributes.length === 0) return;
    this.#off.add(placeOf(system, writing.origin));
    const of = kind === 'create' ? 'create' : 'replace';
    this.#onDifference({ system, resourceType, of, attributes });
  }

  #beliefOf<Watch>({ operation: { system, resourceType, kind }, origin }: Writing<Watch>): Belief {
    return this.#beliefs.of(system, origin, resourceType, kind);
  }
}

function placeOf(system: string, origin: string): string {
  return `${system}\n${origin}`;
}

/** The reply as the read of what it speaks of; undefined when it is of no resource, or of another one. */
function resourceIn<Watch>({ operation, scope }: Writing<Watch>, reply: Reply): Further | undefined {
  const { status, body } = reply;
  const id = status === 200 || status === 201 ? idOf(body) : undefined;
  if (id === undefined || (operation.id !== undefined && operation.id !== id)) return undefined;
  return {
    operation: singleOf(operation, id),
    scope,
    reply: { status: 200, headers: ownHeaders(reply.headers), body },
  };
}
