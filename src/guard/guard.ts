/**
 * Keeps back writes that would take away more than usual, until somebody who may has looked. Invariant: what goes up was
 * counted before, in the book of this replica and, while Redis is there, in everybody's.
 */
import type { Charge } from './book.ts';
import { limitOf, type Ceiling } from './ceiling.ts';
import { heldBack, type Holds, type HoldsOptions, type Settle } from './holds.ts';
import type { LossKind } from './loss.ts';
import { toldOf, type Matter } from './matter.ts';

export interface GuardOptions extends Pick<HoldsOptions, 'local' | 'shared' | 'tell'> {
  readonly holds: Holds;
}

export interface Counted extends Matter {
  readonly kind: LossKind;
  /** By whose records the trail says what it was about. */
  readonly request?: string | undefined;
  readonly amount: number;
  /** What there was; asked for only where it may decide. */
  readonly base: () => Promise<number | undefined>;
}

/** Of a write that was let through. */
export interface Admission {
  readonly settle: Settle;
}

export class Guard {
  readonly #options: GuardOptions;
  /** Until when nobody needs to be told of this again. */
  readonly #told = new Map<string, number>();

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** Throws `held` for what must not go up; then nothing of it was counted. */
  async admit(
    losses: readonly Counted[],
    ceilingOf: (kind: LossKind) => Ceiling,
    windowMs: number,
  ): Promise<Admission> {
    const passed: Settle[] = [];
    const settle: Settle = async (isLost) => void (await Promise.all(passed.map((each) => each(isLost))));
    try {
      for (const loss of losses) {
        const ceiling = ceilingOf(loss.kind);
        if (ceiling.above !== 'off' && loss.amount > 0) await this.#admit(loss, ceiling, windowMs, passed);
      }
    } catch (thrown) {
      await settle(false);
      throw thrown;
    }
    return { settle };
  }

  async #admit(loss: Counted, ceiling: Ceiling, windowMs: number, passed: Settle[]): Promise<void> {
    const { holds, local, shared } = this.#options;
    const charge: Charge = { name: holds.nameOf(loss), amount: loss.amount, windowMs };
    const own = await local.add(charge);
    const common = await shared?.add(charge, own.hold);
    passed.push(async (isLost) => {
      if (isLost) return;
      await local.takeBack(charge, own.at);
      if (common) await shared?.takeBack(charge, common.at);
    });
    const count = Math.max(own.count, common?.count ?? 0);
    const hold = ceiling.above === 'refuse' ? await holds.findOpen(charge.name, own, common) : undefined;
    if (hold !== undefined) return void passed.push(await holds.pass(hold, loss, count));
    const limit = await limitFor(loss, ceiling, count);
    if (count <= limit) return;
    if (ceiling.above === 'refuse')
      throw heldBack(loss.kind, await holds.open(loss, count, limit, { request: loss.request }));
    this.#tellOnce(charge.name, windowMs, {
      ...toldOf(loss),
      count,
      limit,
      action: 'alert',
      request: loss.request,
    });
  }

  #tellOnce(name: string, windowMs: number, facts: Readonly<Record<string, unknown>>): void {
    const now = performance.now();
    if ((this.#told.get(name) ?? 0) > now) return;
    for (const [other, until] of this.#told) if (until <= now) this.#told.delete(other);
    this.#told.set(name, now + windowMs);
    this.#options.tell('guard.exceeded', facts);
  }
}

/** How much may be lost of this matter, as far as that is needed to say whether `count` is more. */
async function limitFor(loss: Counted, ceiling: Ceiling, count: number): Promise<number> {
  if (count <= ceiling.most) return ceiling.most;
  const before = await loss.base();
  if (loss.kind !== 'shrinking') return limitOf(ceiling, before);
  // There is no such group, and that is the tenant's to say: a hold would be one for each id that somebody invents.
  if (before === undefined) return Infinity;
  // What was lost within the window belongs to what there was.
  return limitOf(ceiling, before + count - loss.amount);
}
