/**
 * The book of this replica, which is always there: in memory, and in a file before anybody acts on it, so that neither a
 * restart nor a kill loses a count or a hold. It alone knows what a hold is about.
 */
import { sliceOf, slicesOf, type Book, type Charge, type Standing } from './book.ts';
import type { LossKind } from './loss.ts';
import { StateFile } from './state-file.ts';

export interface Hold {
  readonly id: string;
  readonly name: string;
  readonly kind: LossKind | 'load';
  /** Empty for a load, which is everybody's. */
  readonly caller: string;
  readonly system: string;
  readonly resourceType: string;
  /** The group that would lose members, as the trail names it. */
  readonly target?: string | undefined;
  readonly since: string;
  /** What was to be lost when it was opened, and what was allowed. */
  readonly amount: number;
  readonly limit: number;
  /** Calls that were refused since. */
  readonly refusals: number;
}

interface Permission {
  readonly left: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

interface State {
  readonly counts: Record<string, { readonly windowMs: number; readonly slices: Record<string, number> }>;
  readonly holds: Record<string, Hold>;
  readonly permissions: Record<string, Permission>;
}

export class LocalBook implements Book {
  readonly #file: StateFile;
  readonly #now: () => number;
  readonly #counts = new Map<string, { windowMs: number; slices: Map<number, number> }>();
  /** By name. */
  readonly #holds = new Map<string, Hold>();
  readonly #permissions = new Map<string, Permission>();

  private constructor(file: StateFile, now: () => number) {
    this.#file = file;
    this.#now = now;
  }

  /** @param now milliseconds since 1970, because a file outlives every other clock */
  static async open(path: string, now: () => number = Date.now): Promise<LocalBook> {
    const file = new StateFile(path);
    const book = new LocalBook(file, now);
    const { counts = {}, holds = {}, permissions = {} } = ((await file.read()) ?? {}) as Partial<State>;
    for (const [name, { windowMs, slices }] of Object.entries(counts))
      book.#counts.set(name, {
        windowMs,
        slices: new Map(Object.entries(slices).map(([slice, count]) => [Number(slice), count])),
      });
    for (const [name, hold] of Object.entries(holds)) book.#holds.set(name, hold);
    for (const [hold, permission] of Object.entries(permissions)) book.#permissions.set(hold, permission);
    return book;
  }

  get holds(): readonly Hold[] {
    return [...this.#holds.values()];
  }

  holdOf(name: string): Hold | undefined {
    return this.#holds.get(name);
  }

  async add({ name, amount, windowMs }: Charge): Promise<Standing> {
    const at = this.#now();
    this.#change(name, windowMs, at, amount);
    await this.#save();
    return { count: this.#countOf(name, at), at, hold: this.#holds.get(name)?.id, isClosed: false };
  }

  async takeBack({ name, amount, windowMs }: Charge, at: number): Promise<void> {
    this.#change(name, windowMs, at, -amount);
    await this.#save();
  }

  open(name: string, hold: string): Promise<string> {
    return Promise.resolve(this.#holds.get(name)?.id ?? hold);
  }

  /** Writes down what a hold is about, and that it has refused somebody. */
  async note(hold: Omit<Hold, 'refusals' | 'since'>): Promise<void> {
    const before = this.#holds.get(hold.name);
    const known = before?.id === hold.id ? before : undefined;
    const since = known?.since ?? new Date(this.#now()).toISOString();
    this.#holds.set(hold.name, { ...hold, ...known, since, refusals: (known?.refusals ?? 0) + 1 });
    await this.#save();
  }

  async close(name: string, hold: string): Promise<void> {
    if (this.#holds.get(name)?.id === hold) this.#holds.delete(name);
    this.#permissions.delete(hold);
    await this.#save();
  }

  async permit(hold: string, count: number, lifetimeMs: number): Promise<boolean> {
    this.#permissions.set(hold, { left: count, until: this.#now() + lifetimeMs });
    await this.#save();
    return true;
  }

  async take(hold: string, amount: number): Promise<number | undefined> {
    const permission = this.#permissions.get(hold);
    if (!permission || permission.until <= this.#now() || permission.left < amount) return undefined;
    const left = permission.left - amount;
    this.#permissions.set(hold, { ...permission, left });
    await this.#save();
    return left;
  }

  async giveBack(hold: string, amount: number): Promise<void> {
    const permission = this.#permissions.get(hold);
    if (permission) this.#permissions.set(hold, { ...permission, left: permission.left + amount });
    await this.#save();
  }

  leftOf(hold: string): Promise<number> {
    const permission = this.#permissions.get(hold);
    return Promise.resolve(permission && permission.until > this.#now() ? permission.left : 0);
  }

  #change(name: string, windowMs: number, at: number, amount: number): void {
    const counted = this.#counts.get(name);
    const slices = counted?.windowMs === windowMs ? counted.slices : new Map<number, number>();
    const slice = sliceOf(at, windowMs);
    slices.set(slice, Math.max(0, (slices.get(slice) ?? 0) + amount));
    this.#counts.set(name, { windowMs, slices });
  }

  /** What lies ahead was counted before the clock was set back, and counts. */
  #countOf(name: string, at: number): number {
    const { windowMs, slices } = this.#counts.get(name) ?? { windowMs: 1, slices: new Map<number, number>() };
    const oldest = Math.min(...slicesOf(at, windowMs));
    return [...slices].reduce((sum, [slice, count]) => (slice >= oldest ? sum + count : sum), 0);
  }

  #save(): Promise<void> {
    const now = this.#now();
    for (const name of this.#counts.keys()) if (this.#countOf(name, now) === 0) this.#counts.delete(name);
    for (const [hold, { until }] of this.#permissions) if (until <= now) this.#permissions.delete(hold);
    return this.#file.save(() => this.#state());
  }

  #state(): State {
    const counts = [...this.#counts].map(([name, { windowMs, slices }]) => [
      name,
      { windowMs, slices: Object.fromEntries(slices) },
    ]);
    return {
      counts: Object.fromEntries(counts),
      holds: Object.fromEntries(this.#holds),
      permissions: Object.fromEntries(this.#permissions),
    };
  }
}
