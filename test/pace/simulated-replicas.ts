/**
 * Replicas that share a budget, in a world of its own: a clock that jumps from event to event, a pool that can be lost,
 * frozen, emptied or out of reach for one of them, calls that are held up on their way, and clocks that differ. The budget is the real one; the pool is what
 * Redis does, command by command.
 */
import { partOf } from '../../src/pace/part.ts';
import type { Pool, PoolReply, PoolRequest } from '../../src/pace/pool.ts';
import type { Need } from '../../src/pace/queue.ts';
import { SharedBudget } from '../../src/pace/shared-budget.ts';
import { priorities, type Priority } from '../../src/scim/operation.ts';

export interface WorldOptions {
  readonly perMinute: number;
  readonly burst: number;
  readonly replicas: number;
  /** The longest way to the pool or back. */
  readonly slowestUs: number;
  /** Numbers from 0 to 1, one after the other. */
  readonly random: () => number;
}

export interface Fault {
  /**
   * To the pool: lost, found empty, hanging, awake. To a replica: out of reach, in reach, begun anew, busy, idle, refused by
   * the tenant, its calls held up on their way, and let go together, urgent, and as they were.
   */
  readonly kind:
    | 'kill'
    | 'restore'
    | 'freeze'
    | 'thaw'
    | 'cut'
    | 'join'
    | 'crash'
    | 'hurry'
    | 'rest'
    | 'refuse'
    | 'stall'
    | 'flow'
    | 'urge'
    | 'calm';
  readonly replica?: number;
}

const minuteUs = 60_000_000;
const answerBudgetUs = 50_000;
const probeUs = 1_000_000;
const refusedUs = 10_000_000;

/** All times in microseconds of the world. */
export class World {
  readonly turns: { readonly at: number; readonly replica: number }[] = [];
  readonly #options: WorldOptions;
  readonly #events: { readonly at: number; readonly run: () => void }[] = [];
  readonly #replicas: Replica[];
  readonly store = new Store();
  at = 0;

  constructor(options: WorldOptions) {
    this.#options = options;
    this.#replicas = Array.from({ length: options.replicas }, (_, at) => new Replica(this, at, options));
  }

  random(): number {
    return this.#options.random();
  }

  after(us: number, run: () => void): void {
    const at = this.at + Math.max(0, us);
    const place = this.#events.findLastIndex((event) => event.at <= at) + 1;
    this.#events.splice(place, 0, { at, run });
  }

  async pass(us: number): Promise<void> {
    const until = this.at + us;
    for (let next = this.#events[0]; next && next.at <= until; next = this.#events[0]) {
      this.#events.shift();
      this.at = next.at;
      next.run();
      for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
    }
    this.at = until;
  }

  apply({ kind, replica = 0 }: Fault): void {
    if (kind === 'kill') {
      this.store.kill();
      for (const each of this.#replicas) each.lose();
    } else if (kind === 'restore') this.store.restore();
    else if (kind === 'freeze') this.store.freeze();
    else if (kind === 'thaw') this.store.thaw();
    else this.#replicas[replica % this.#replicas.length]?.suffer(kind);
  }

  /** So much of the pace is left, as that replica has learnt. */
  slow(replica: number, share: number): void {
    this.#replicas[replica]?.slow(share);
  }

  /** The most turns in any minute. */
  busiestMinute(): number {
    let most = 0;
    let from = 0;
    for (const [at, turn] of this.turns.entries()) {
      while ((this.turns[from]?.at ?? 0) <= turn.at - minuteUs) from += 1;
      most = Math.max(most, at - from + 1);
    }
    return most;
  }

  turnsBetween(from: number, until: number): number {
    return this.turns.filter(({ at }) => at >= from && at < until).length;
  }
}

/** What stands in Redis, and whether it answers. */
export class Store {
  #lent = 0;
  /** Of each replica, how urgent what waits there is, and until when that is known. */
  readonly #waits = new Map<unknown, Need & { readonly until: number }>();
  #pausedUntil = 0;
  #state: 'up' | 'frozen' | 'down' = 'up';
  #waiting: (() => void)[] = [];

  kill(): void {
    [this.#state, this.#lent, this.#pausedUntil, this.#waiting] = ['down', 0, 0, []];
  }

  restore(): void {
    if (this.#state === 'down') this.#state = 'up';
  }

  freeze(): void {
    if (this.#state === 'up') this.#state = 'frozen';
  }

  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'up';
    for (const command of this.#waiting.splice(0)) command();
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** Runs a command now, or when Redis wakes up; or never. */
  take(command: () => void): void {
    if (this.#state === 'up') command();
    if (this.#state === 'frozen') this.#waiting.push(command);
  }

  exchange(
    now: number,
    { room, lends, takes, pauseMs, begins, waits }: PoolRequest,
    member: unknown,
  ): PoolReply {
    if (waits) this.#waits.set(member, { ...waits, until: now + waits.ms * 1000 });
    if (begins || pauseMs > 0) this.#lent = 0;
    if (pauseMs > 0) this.#pausedUntil = Math.max(this.#pausedUntil, now + pauseMs * 1000);
    const taken = Math.min(takes, this.#lent);
    const lent = Math.min(lends, room - (this.#lent - taken));
    this.#lent += lent - taken;
    return {
      lent,
      taken,
      pauseMs: Math.max(0, Math.floor((this.#pausedUntil - now) / 1000)),
      elsewhere: this.#elsewhere(now, member),
    };
  }

  #elsewhere(now: number, member: unknown): Need | undefined {
    const others = [...this.#waits].flatMap(([other, { until, ...need }]) =>
      other === member || until <= now ? [] : [need],
    );
    return others.toSorted((one, other) => one.priority - other.priority)[0];
  }
}

class Replica {
  readonly #world: World;
  readonly #name: number;
  readonly #options: WorldOptions;
  readonly #departing: number;
  /** Its own clock: begins somewhere and runs a little fast or slow. */
  readonly #origin: number;
  readonly #speed: number;
  #life = 0;
  #isBusy = true;
  /** One chain of them is enough. */
  #wakeUps = 0;
  #isCut = false;
  #isOpen = false;
  /** Calls that have had their turn and are not on their way. */
  #here = 0;
  #isStalled = false;
  #stalled = 0;
  #priority: Priority = priorities.list;
  #budget!: SharedBudget;

  constructor(world: World, name: number, options: WorldOptions) {
    this.#world = world;
    this.#name = name;
    this.#options = options;
    this.#departing = partOf(options, options.replicas, true).departing;
    this.#origin = Math.floor(world.random() * 1e12);
    this.#speed = 1 + (world.random() - 0.5) * 2e-4;
    this.#begin();
  }

  lose(): void {
    this.#isOpen = false;
  }

  slow(share: number): void {
    const { perMinute, burst } = this.#options;
    this.#budget.adjust({ perMinute: perMinute * share, burst }, this.#now);
  }

  suffer(kind: Exclude<Fault['kind'], 'kill' | 'restore' | 'freeze' | 'thaw'>): void {
    if (kind === 'crash') this.#begin();
    if (kind === 'cut') this.#isCut = true;
    if (kind === 'join') this.#isCut = false;
    if (kind === 'refuse') this.#budget.spendUntil(this.#now + refusedUs);
    if (kind === 'stall') this.#isStalled = true;
    if (kind === 'urge') this.#priority = priorities.delete;
    if (kind === 'calm') this.#priority = priorities.list;
    if (kind === 'flow') {
      this.#isStalled = false;
      for (; this.#stalled > 0; this.#stalled -= 1) this.#depart();
    }
    if (kind === 'rest') {
      this.#isBusy = false;
      this.#budget.want(0, 0);
    }
    if (kind === 'hurry') {
      this.#isBusy = true;
      this.#work();
    }
  }

  get #now(): number {
    return Math.floor(this.#origin + this.#world.at * this.#speed);
  }

  #begin(): void {
    this.#life += 1;
    const life = this.#life;
    const lives = (): boolean => life === this.#life;
    this.#isOpen = false;
    [this.#here, this.#stalled] = [0, 0];
    this.#budget = new SharedBudget({
      ...this.#options,
      minuteMs: 60_000,
      pool: this.#connect(lives),
      now: () => this.#now,
      onChange: () => lives() && this.#work(),
    });
    this.#budget.saveNothing(this.#now);
    const beat = (): void => {
      if (!lives()) return;
      // A timer is late, never early.
      this.#world.after(
        this.#budget.beat() * (750 + this.#world.random() * 250) + this.#world.random() * 2000,
        beat,
      );
    };
    const probe = (): void => {
      if (!lives()) return;
      this.#isOpen ||= this.#world.store.isUp && !this.#isCut;
      this.#world.after(probeUs, probe);
    };
    this.#world.after(this.#world.random() * 1e6, probe);
    this.#world.after(this.#world.random() * 1e6, beat);
    this.#world.after(0, () => lives() && this.#work());
  }

  /** Takes every turn that it can get. */
  #work(): void {
    if (!this.#isBusy) return;
    while (this.#here < this.#departing && this.#budget.turnAt(this.#now) <= this.#now) {
      if (this.#isForOthers() && this.#budget.lendTurn(this.#now)) continue;
      this.#budget.spendTurn(this.#now);
      this.#here += 1;
      const life = this.#life;
      // Some are held up by a disk.
      this.#world.after(this.#latency(), () => life === this.#life && this.#depart());
    }
    this.#budget.want(50, this.#departing - this.#here, { priority: this.#priority, calls: 50 });
    const wait = this.#budget.turnAt(this.#now) - this.#now;
    this.#wakeUps += 1;
    const wakeUp = this.#wakeUps;
    this.#world.after(wait + this.#world.random() * 2000, () => wakeUp === this.#wakeUps && this.#work());
  }

  /** Most turns, as the order of the queue has it. */
  #isForOthers(): boolean {
    const elsewhere = this.#budget.neededElsewhere;
    return elsewhere !== undefined && elsewhere.priority < this.#priority && this.#world.random() < 0.9;
  }

  #depart(): void {
    if (this.#isStalled) {
      this.#stalled += 1;
      return;
    }
    this.#here -= 1;
    this.#budget.departed(this.#now);
    this.#world.turns.push({ at: this.#world.at, replica: this.#name });
    this.#work();
  }

  #latency(): number {
    return 100 + this.#world.random() ** 8 * this.#options.slowestUs;
  }

  /** As the circuit around Redis does: within a budget, and not at all after a failure until a probe has succeeded. */
  #connect(lives: () => boolean): Pool {
    const isOpen = (): boolean => lives() && this.#isOpen;
    return {
      get isOpen() {
        return isOpen();
      },
      exchange: (request) => this.#exchange(request),
    };
  }

  async #exchange(request: PoolRequest): Promise<PoolReply | undefined> {
    const world = this.#world;
    const { promise, resolve } = Promise.withResolvers<PoolReply | undefined>();
    const isLost = this.#isCut && world.random() < 0.5;
    if (!isLost)
      world.after(this.#latency(), () =>
        world.store.take(() => {
          const reply = world.store.exchange(world.at, request, this);
          if (!this.#isCut) world.after(this.#latency(), () => resolve(reply));
        }),
      );
    world.after(answerBudgetUs, () => resolve(undefined));
    const reply = await promise;
    this.#isOpen &&= reply !== undefined;
    return reply;
  }
}

/** Mulberry32: the same numbers for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
