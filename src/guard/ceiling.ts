/** How much may be lost before the guard acts, for whom, where and when. Pure; the last rule that fits has the word. */
import type { LossKind } from './loss.ts';
import { isWithin, type PlannedWindow } from './planned.ts';

export type Action = 'off' | 'alert' | 'refuse';

export interface Ceiling {
  readonly most: number;
  /** In per cent of what there was; it counts where it allows more than `most`. */
  readonly share: number;
  readonly above: Action;
}

export interface LoadCeiling {
  /** By how many per cent a load may be smaller than the last one. */
  readonly share: number;
  readonly above: Action;
}

export interface Ceilings {
  readonly deletes: Ceiling;
  readonly deactivations: Ceiling;
  readonly shrinking: Ceiling;
  readonly loads: LoadCeiling;
}

type Overrides = {
  readonly [Of in keyof Ceilings]?:
    | { readonly [Key in keyof Ceilings[Of]]?: Ceilings[Of][Key] | undefined }
    | undefined;
};

export interface Rule extends Overrides {
  readonly systems?: readonly string[] | undefined;
  readonly callers?: readonly string[] | undefined;
  readonly when?: PlannedWindow | undefined;
}

export interface GuardSettings extends Ceilings {
  readonly window: number;
  readonly rules: readonly Rule[];
}

export function ceilingsFor(settings: GuardSettings, caller: string, system: string, at: Date): Ceilings {
  const fitting = settings.rules.filter(
    ({ systems, callers, when }) =>
      (systems?.includes(system) ?? true) &&
      (callers?.includes(caller) ?? true) &&
      (when === undefined || isWithin(when, at)),
  );
  const { deletes, deactivations, shrinking, loads } = settings;
  return fitting.reduce<Ceilings>(
    (before, rule) => ({
      deletes: { ...before.deletes, ...given(rule.deletes) },
      deactivations: { ...before.deactivations, ...given(rule.deactivations) },
      shrinking: { ...before.shrinking, ...given(rule.shrinking) },
      loads: { ...before.loads, ...given(rule.loads) },
    }),
    { deletes, deactivations, shrinking, loads },
  );
}

function given<T extends object>(overrides: T | undefined): { [Key in keyof T]: Exclude<T[Key], undefined> } {
  const entries = Object.entries(overrides ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]: Exclude<T[Key], undefined> };
}

export function ceilingOf(kind: LossKind, { deletes, deactivations, shrinking }: Ceilings): Ceiling {
  return { delete: deletes, deactivation: deactivations, shrinking }[kind];
}

/** @param base of which the share is taken; undefined where nobody knows it */
export function limitOf({ most, share }: Ceiling, base: number | undefined): number {
  return Math.max(most, Math.floor(((base ?? 0) * share) / 100));
}
