/**
 * Keeps back writes that would take away more than usual, until somebody who may has looked. Invariant: what goes up was
 * counted before, in the book of this replica and, while Redis is there, in everybody's; and what a release names passes
 * once.
 */
import { createHmac, randomInt } from 'node:crypto';

import { ScimError } from '../scim/error.ts';
import type { Charge, Standing } from './book.ts';
import { limitOf, type Ceiling } from './ceiling.ts';
import type { Hold, LocalBook } from './local-book.ts';
import type { LossKind } from './loss.ts';
import type { RedisBook } from './redis-book.ts';

export interface GuardOptions {
  /** Names in the books are keyed with it; the same on all replicas. */
  readonly key: Buffer;
  readonly local: LocalBook;
  readonly shared?: RedisBook | undefined;
  /** One durable record in the trail; rejects where there is none. */
  readonly record: (event: string, facts: Readonly<Record<string, unknown>>) => Promise<void>;
  /** As `record`, of what has happened already. */
  readonly tell: (event: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** What something is counted under. */
export interface Matter {
  readonly kind: LossKind | 'load';
  readonly caller: string;
  readonly system: string;
  readonly resourceType: string;
  /** The group that loses members, as the trail names it. */
  readonly target?: string | undefined;
  /** What it is counted under where that has more spellings than one; never told. */
  readonly sameAs?: string | undefined;
}

export interface Counted extends Matter {
  /** By whose records the trail says what it was about. */
  readonly request?: string | undefined;
  readonly amount: number;
  /** What there was; asked for only where it may decide. */
  readonly base: () => Promise<number | undefined>;
}

/** To be told what became of a write that was let through. */
export interface Admission {
  /** @param isLost false when the tenant has surely not carried it out */
  settle(isLost: boolean): Promise<void>;
}

export interface Release {
  readonly hold: string;
  /** What may pass; 0 lets nothing pass and ends the hold. */
  readonly count: number;
  readonly lifetimeMs: number;
  readonly reason: string;
  readonly actor: Readonly<Record<string, unknown>>;
}

type Undo = (isLost: boolean) => Promise<void>;

export class Guard {
  readonly #options: GuardOptions;
  /** Until when nobody needs to be told of this again. */
  readonly #told = new Map<string, number>();

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** The holds that this replica knows. */
  get holds(): readonly Hold[] {
    return this.#options.local.holds;
  }

  /** Throws `held` for what must not go up; then nothing of it was counted. */
  async admit(
    losses: readonly Counted[],
    ceilingOf: (kind: LossKind) => Ceiling,
    windowMs: number,
  ): Promise<Admission> {
    const undo: Undo[] = [];
    const settle = async (isLost: boolean): Promise<void> =>
      void (await Promise.all(undo.map((each) => each(isLost))));
    try {
      for (const loss of losses) {
        if (loss.kind === 'load') throw new TypeError('A load is judged when it ends.');
        const ceiling = ceilingOf(loss.kind);
        if (ceiling.above !== 'off' && loss.amount > 0) await this.#admit(loss, ceiling, windowMs, undo);
      }
    } catch (thrown) {
      await settle(false);
      throw thrown;
    }
    return { settle };
  }

  async #admit(loss: Counted, ceiling: Ceiling, windowMs: number, undo: Undo[]): Promise<void> {
    const { local, shared } = this.#options;
    const charge: Charge = { name: this.nameOf(loss), amount: loss.amount, windowMs };
    const own = await local.add(charge);
    const common = await shared?.add(charge, own.hold);
    undo.push(async (isLost) => {
      if (isLost) return;
      await local.takeBack(charge, own.at);
      if (common) await shared?.takeBack(charge, common.at);
    });
    const count = Math.max(own.count, common?.count ?? 0);
    const hold = ceiling.above === 'refuse' ? await this.#holdIn(charge.name, own, common) : undefined;
    if (hold !== undefined) return this.#passHold(hold, loss, count, undo);
    if (count <= ceiling.most) return;
    const before = await loss.base();
    // There is no such group, and that is the tenant's to say: a hold would be one for each id that somebody invents.
    if (loss.kind === 'shrinking' && before === undefined) return;
    // What was lost within the window belongs to what there was.
    const base =
      before === undefined ? undefined : before + (loss.kind === 'shrinking' ? count - loss.amount : 0);
    const limit = limitOf(ceiling, base);
    if (count <= limit) return;
    if (ceiling.above === 'refuse')
      throw heldBack(loss.kind, await this.hold(loss, count, limit, { request: loss.request }));
    this.#tellOnce(charge.name, windowMs, {
      ...matterOf(loss),
      count,
      limit,
      action: 'alert',
      request: loss.request,
    });
  }

  /** The hold that is open, in whichever book: one that everybody's has lost is written down there again. */
  async #holdIn(name: string, own: Standing, common: Standing | undefined): Promise<string | undefined> {
    if (common?.hold !== undefined) return common.hold;
    if (own.hold === undefined || !common) return own.hold;
    if (!common.isClosed) return (await this.#options.shared?.open(name, own.hold)) ?? own.hold;
    await this.#options.local.close(name, own.hold);
    return undefined;
  }

  async #passHold(id: string, loss: Counted, count: number, undo: Undo[]): Promise<void> {
    const { local, shared } = this.#options;
    const name = this.nameOf(loss);
    for (const book of [shared, local]) {
      const left = await book?.take(id, loss.amount);
      if (left === undefined) continue;
      undo.push(async (isLost) => {
        if (!isLost) await book?.giveBack(id, loss.amount);
        else if (left === 0) await this.#close(name, id, 'used up');
      });
      return;
    }
    const known = local.holdOf(name);
    const { amount, limit } = known?.id === id ? known : { amount: count, limit: 0 };
    await local.note({ ...matterOf(loss), id, name, amount, limit });
    throw heldBack(loss.kind, id);
  }

  /** Opens a hold, and tells of it where it is new here. */
  async hold(matter: Matter, amount: number, limit: number, facts: object = {}): Promise<string> {
    const { local, shared, tell } = this.#options;
    const name = this.nameOf(matter);
    const proposed = await local.open(name, newId());
    const id = (await shared?.open(name, proposed)) ?? proposed;
    if (local.holdOf(name)?.id !== id)
      tell('guard.exceeded', {
        ...matterOf(matter),
        count: amount,
        limit,
        action: 'refuse',
        ...facts,
        hold: id,
      });
    await local.note({ ...matterOf(matter), id, name, amount, limit });
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
  async endHold(matter: Matter, why: string): Promise<void> {
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
      ...matterOf(hold),
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

  nameOf({ kind, caller, system, resourceType, target = '', sameAs = target }: Matter): string {
    const mac = createHmac('sha256', this.#options.key);
    for (const part of [kind, caller, system, resourceType, sameAs]) mac.update(`${part}\0`);
    return mac.digest('base64url').slice(0, 22);
  }

  async #close(name: string, id: string, why: string): Promise<void> {
    const { local, shared, tell } = this.#options;
    const hold = local.holdOf(name);
    await local.close(name, id);
    await shared?.close(name, id);
    tell('guard.closed', { hold: id, ...(hold && matterOf(hold)), why });
  }

  #tellOnce(name: string, windowMs: number, facts: Readonly<Record<string, unknown>>): void {
    const now = performance.now();
    if ((this.#told.get(name) ?? 0) > now) return;
    for (const [other, until] of this.#told) if (until <= now) this.#told.delete(other);
    this.#told.set(name, now + windowMs);
    this.#options.tell('guard.exceeded', facts);
  }
}

function matterOf({ kind, caller, system, resourceType, target }: Matter): Matter {
  return { kind, caller, system, resourceType, ...(target !== undefined && { target }) };
}

const guarded = { delete: 'deletes', deactivation: 'deactivations', shrinking: 'shrinking groups' } as const;

function heldBack(kind: Matter['kind'], hold: string): ScimError {
  const what = kind === 'load' ? 'loads' : guarded[kind];
  const detail =
    `The guard on ${what} holds this back (hold ${hold}): it is more than the configured ceiling. ` +
    'Nothing was sent. It passes once an operator has released it; repeating it before does not help.';
  return new ScimError('held', detail);
}

/** Without letters that look like others, because people type it. */
const alphabet = '23456789abcdefghjkmnpqrstuvwxyz';

function newId(): string {
  return Array.from({ length: 10 }, () => alphabet[randomInt(alphabet.length)]).join('');
}
