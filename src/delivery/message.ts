/**
 * A record or a checkpoint in the form that a destination asked for. Every form has what tells two of the same from two
 * different ones, because delivery is at least once.
 */
import type { Entry } from '../audit/entry.ts';
import { formats } from '../audit/formats.ts';
import { CheckpointEntry } from './checkpoint-entry.ts';
import type { Author } from './source.ts';

export const formatNames = ['native', 'ocsf', 'ecs', 'cef'] as const;
export type FormatName = (typeof formatNames)[number];

export interface Message {
  readonly entry: Entry;
  readonly isCheckpoint: boolean;
  /** Texts without line breaks; in OCSF a record may be two events. All forms but CEF are JSON. */
  readonly bodies: readonly string[];
}

/**
 * @param enveloped whether the native form says the chain itself, for destinations that have no other place for it
 */
export function messageOf(entry: Entry, author: Author, format: FormatName, enveloped: boolean): Message {
  return {
    entry,
    isCheckpoint: entry instanceof CheckpointEntry,
    bodies: format === 'native' ? [native(entry, enveloped)] : mapped(entry, author, format),
  };
}

/** The line's own bytes, so that the chain can be verified from what was delivered. */
function native(entry: Entry, enveloped: boolean): string {
  const line = entry.line.toString();
  if (!enveloped) return line;
  const { chain } = entry.segment;
  return `{"chain":"${chain}","instance":${JSON.stringify(entry.instance)},"record":${line}}`;
}

function mapped(entry: Entry, author: Author, format: Exclude<FormatName, 'native'>): string[] {
  return formats[format]
    .map(entry, { original: false, ...author })
    .split('\n')
    .slice(0, -1);
}

/** @param patterns names of events, or their beginnings and `*` */
export function filterOf(patterns: readonly string[]): (event: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
  const beginnings = patterns.filter((pattern) => pattern.endsWith('*')).map((text) => text.slice(0, -1));
  return (event) => exact.has(event) || beginnings.some((beginning) => event.startsWith(beginning));
}
