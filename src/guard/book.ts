/**
 * What is counted, held and released, as a book that can be kept in more than one place. A name stands for a caller, a
 * system and a kind of loss, and tells nobody which; a hold has an id of its own, by which an operator names it.
 */
export interface Standing {
  /** All that was counted within the window. */
  readonly count: number;
  /** By the clock of the book. */
  readonly at: number;
  /** The hold that is open. */
  readonly hold?: string | undefined;
  /** Whether the hold that was asked about is known as closed. */
  readonly isClosed: boolean;
}

export interface Charge {
  readonly name: string;
  readonly amount: number;
  readonly windowMs: number;
}

/** Where a promise gives undefined, the book could not be asked. */
export interface Book {
  /** @param known a hold of which the asker would know whether it was closed */
  add(charge: Charge, known?: string): Promise<Standing | undefined>;
  /** @param at when it was added */
  takeBack(charge: Charge, at: number): Promise<void>;
  /** The id of the hold that is in force now: this one, or one that was there before. */
  open(name: string, hold: string): Promise<string | undefined>;
  close(name: string, hold: string): Promise<void>;
  /** False where it cannot be written down. */
  permit(hold: string, count: number, lifetimeMs: number): Promise<boolean>;
  /** What is left of the permission after this; undefined where it does not cover it. */
  take(hold: string, amount: number): Promise<number | undefined>;
  giveBack(hold: string, amount: number): Promise<void>;
  /** What may still pass of what was permitted; 0 where nothing is. */
  leftOf(hold: string): Promise<number | undefined>;
}

/** A window is counted in this many slices, so it ends up to a tenth late and never early. */
const slices = 10;

export function sliceOf(at: number, windowMs: number): number {
  return Math.floor(at / (windowMs / slices));
}

/** All slices that a window ending now may reach into. */
export function slicesOf(at: number, windowMs: number): number[] {
  const now = sliceOf(at, windowMs);
  return Array.from({ length: slices + 1 }, (_, back) => now - back);
}
