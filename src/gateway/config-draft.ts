/**
 * A configuration that the schema may have found faults in, as the checks across keys see it: anything can be missing
 * or of another type than its key wants, and such a value is left to the schema.
 */
import type { ParsedConfig } from './config-schema.ts';

export type Draft<T> = T extends readonly (infer Element)[]
  ? readonly Draft<Element>[] | undefined
  : T extends object
    ? { readonly [Key in keyof T]?: Draft<T[Key]> } | undefined
    : T | undefined;

export type DraftConfig = Draft<ParsedConfig>;
export type DraftListener = Draft<ParsedConfig['listen']>;

export type Refuse = (path: readonly (string | number)[], problem: string, remedy: string) => void;

export function entriesOf<Value>(map: Readonly<Record<string, Value>> | undefined): [string, Value][] {
  return typeof map === 'object' && map !== null ? Object.entries(map) : [];
}

export function listOf<Element>(value: readonly Element[] | string | undefined): readonly Element[] {
  return Array.isArray(value) ? value : [];
}

/** Every listener for callers with its place. */
export function draftListeners(config: DraftConfig): [place: readonly string[], DraftListener][] {
  const further = entriesOf(config?.listeners).map(([name, settings]): [readonly string[], DraftListener] => [
    ['listeners', name],
    settings,
  ]);
  return [[['listen'], config?.listen], ...further];
}
