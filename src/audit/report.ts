/**
 * What the trail tells the operational log of itself: that recording fails, why, and when it works again. A reason is the
 * system's own word, never anything of a record.
 */
import type { Members } from './queue.ts';

export type ReportedEvent =
  | 'audit.failed'
  | 'audit.recovered'
  | 'audit.chain_begun'
  | 'audit.checkpoint_failed'
  | 'audit.key_left'
  | 'audit.not_expired'
  | 'audit.no_ballast'
  | 'audit.siblings_unknown'
  | 'audit.witness_lost'
  | 'audit.witness_refused'
  | 'audit.witness_back';
export type Report = (event: ReportedEvent, facts: Members) => void;

/** Tells an error as this event. */
export function reporter(report: Report, event: ReportedEvent): (error: unknown) => void {
  return (error) => report(event, { code: codeOf(error), reason: reasonOf(error) });
}

export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'UNKNOWN';
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause === undefined ? error.name : codeOf(error.cause);
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
