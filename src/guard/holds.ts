/**
 * What is kept back until somebody who may has looked: opened, released and closed, in the book of this replica and, while
 * Redis is there, in everybody's. Invariant: what a release names passes once.
 */
import { createHmac, randomInt } from 'node:crypto';

import { ScimError } from '../scim/error.ts';
import type { Standing } from './book.ts';
import type { Hold, LocalBook } from './local-book.ts';
import { toldOf, type Matter } from './matter.ts';
import type { RedisBook } from './redis-book.ts';

export interface HoldsOptions {
  /** Names in the books are keyed with it; the same on all replicas. */
  readonly key: Buffer;
  readonly local: LocalBook;
  readonly shared?: RedisBook | undefined;
  /** One durable record in the trail; rejects where there is none. */
  readonly record: (event: string, facts: Readonly<Record<string, unknown>>) => Promise<void>;
  /** As `record`, of what has happened already. */
  readonly tell: (event: string, facts: Readonly<Record<string, unknown>>) => void;
}

export interface Release {
  readonly hold: string;
  /** What may pass; 0 lets nothing pass and ends the hold. */
  readonly count: number;
  readonly lifetimeMs: number;
  readonly reason: string;
  readonly actor: Readonly<Record<string, unknown>>;
}

/** To be told what became of a loss that passed; it is taken back where the tenant has surely not carried it out. */
export type Settle = (isLost: boolean) => Promise<void>;

export class Holds {
  readonly #options: HoldsOptions;

  constructor(options: HoldsOptions) {
    this.#options = options;
  }

  /** Those that this replica knows. */
  get all(): readonly Hold[] {
    return this.#options.local.holds;
  }

  nameOf({ kind, caller, system, resourceType, target = '', sameAs = target }: Matter): string {
    const mac = createHmac('sha256', this.#options.key);
    for (const part of [kind, caller, system, resourceType, sameAs]) mac.update(`${part}\0`);
    return mac.digest('base64url').slice(0, 22);
  }

  /** The hold that is open, in whichever book: one that everybody's has lost is written down there again. */
  async findOpen(name: string, own: Standing, common: Standing | undefined): Promise<string | undefined> {
    if (common?.hold !== undefined) return common.hold;
    if (own.hold === undefined || !common) return own.hold;
    if (!common.isClosed) return (await this.#options.shared?.open(name, own.hold)) ?? own.hold;
    await this.#options.local.close(name, own.hold);
    return undefined;
  }

  /**
   * Lets a loss pass by the release of an open hold; throws `held` where none covers it.
   * @param count all that was counted with it
   */
  async pass(id: string, loss: Matter & { readonly amount: number }, count: number): Promise<Settle> {
    const { local, shared } = this.#options;
    const name = this.nameOf(loss);
    for (const book of [shared, local]) {
      const left = await book?.take(id, loss.amount);
      if (left === undefined) continue;
      return async (isLost) => {
        if (!isLost) await book?.giveBack(id, loss.amount);
        else if (left === 0) await this.#close(name, id, 'used up');
      };
    }
    const known = local.holdOf(name);
    const { amount, limit } = known?.id === id ? known : { amount: count, limit: 0 };
    await local.note({ ...toldOf(loss), id, name, amount, limit });
    throw heldBack(loss.kind, id);
  }

  /** Opens a hold, and tells of it where it is new here. */
  async open(matter: Matter, amount: number, limit: number, facts: object = {}): Promise<string> {
    const { local, shared, tell } = this.#options;
    const name = this.nameOf(matter);
    const proposed = await local.open(name, newId());
    const id = (await shared?.open(name, proposed)) ?? proposed;
    if (local.holdOf(name)?.id !== id)
      tell('guard.exceeded', {
        ...toldOf(matter),
        count: amount,
        limit,
        action: 'refuse',
        ...facts,
        hold: id,
      });
    await local.note({ ...toldOf(matter), id, name, amount, limit });
    return id;
  }

  /** Whether an open hold of this matter was released for so much; it is closed then. */
  async useRelease(matter: Matter, amount: number): Promise<boolean> {
    const { local, shared } = this.#options;
    const name = this.nameOf(matter);
    const id = local.holdOf(name)?.id;
    if (id === undefined) return false;
    // A hold on loads is used up by one load, however little of the release it needs.
    const left = (await shared?.take(id, Math.max(1, amount))) ?? (await local.take(id, Math.max(1, amount)));
    if (left === undefined) return false;
    await this.#close(name, id, 'used up');
    return true;
  }

  /** Ends the hold of a matter that has become right by itself. */
  async end(matter: Matter, why: string): Promise<void> {
    const hold = this.#options.local.holdOf(this.nameOf(matter));
    if (hold) await this.#close(hold.name, hold.id, why);
  }

  /**
   * Lets pass what it names, once. It is in the trail before it counts.
   * @returns false when no such hold is open here
   */
  async release({ hold: id, count, lifetimeMs, reason, actor }: Release): Promise<boolean> {
    const { local, shared, record } = this.#options;
    const hold = local.holds.find((each) => each.id === id);
    if (!hold) return false;
    const until = new Date(Date.now() + lifetimeMs).toISOString();
    await record('guard.released', {
      hold: id,
      ...toldOf(hold),
      count,
      ...(count > 0 && { until }),
      reason,
      actor,
    });
    if (count === 0) await this.#close(hold.name, id, 'ended by an operator');
    // In one book only, so that nothing passes twice.
    else if (!(await shared?.permit(id, count, lifetimeMs))) await local.permit(id, count, lifetimeMs);
    return true;
  }

  /** What may still pass of an open hold, by the book that knows of more: a release stands in one of them. */
  async leftOf(hold: string): Promise<number> {
    const { local, shared } = this.#options;
    return Math.max(await local.leftOf(hold), (await shared?.leftOf(hold)) ?? 0);
  }

  async #close(name: string, id: string, why: string): Promise<void> {
    const { local, shared, tell } = this.#options;
    const hold = local.holdOf(name);
    await local.close(name, id);
    await shared?.close(name, id);
    tell('guard.closed', { hold: id, ...(hold && toldOf(hold)), why });
  }
}

const guarded = { delete: 'deletes', deactivation: 'deactivations', shrinking: 'shrinking groups' } as const;

export function heldBack(kind: Matter['kind'], hold: string): ScimError {
  const what = kind === 'load' ? 'loads' : guarded[kind];
  const detail =
    `The guard on ${what} holds this back (hold ${hold}): it is more than the configured ceiling. ` +
    'Nothing was sent. It passes once an operator has released it; repeating it before does not help.';
  return new ScimError('held', detail, { why: `hold ${hold}` });
}

/** Without letters that look like others, because people type it. */
const alphabet = '23456789abcdefghjkmnpqrstuvwxyz';

function newId(): string {
  return Array.from({ length: 10 }, () => alphabet[randomInt(alphabet.length)]).join('');
}
