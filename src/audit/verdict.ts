/** What a verification tells: a verdict, and for each fault its place and reason. */
import type { Sibling } from './siblings.ts';

/**
 * In the order of their weight. truncated: an end is missing, as after a crash or when somebody cut it off.
 * incomplete: what is there is sound, and what was given does not suffice to prove that it is all.
 */
export type Verdict = 'ok' | 'incomplete' | 'truncated' | 'tampered';

export interface Finding {
  readonly verdict: Exclude<Verdict, 'ok'>;
  readonly file: string;
  readonly reason: string;
  readonly line?: number;
  readonly seq?: number;
}

export interface InstanceReport {
  readonly instance: string;
  readonly verdict: Verdict;
  readonly chain: string | undefined;
  /** Whether a living process writes the last segment. */
  readonly running: boolean;
  readonly segments: number;
  /** Segments that are gone because their time was over, and of which the trail says so. */
  readonly expired: number;
  readonly records: number;
  readonly bytes: number;
  readonly firstSeq: number | undefined;
  readonly lastSeq: number | undefined;
  readonly firstTs: string | undefined;
  readonly lastTs: string | undefined;
  readonly head: string | undefined;
  /** Fingerprint of the key that signed the chain's first header. */
  readonly rootKey: string | undefined;
  /** The last line that a checkpoint from elsewhere covers. */
  readonly checkpointed: number | undefined;
  /** When a witness saw that checkpoint: ISO 8601. */
  readonly witnessedAt: string | undefined;
  /** The chains of other replicas that it names, each with the greatest size. */
  readonly siblings: readonly Pick<Sibling, 'origin' | 'size'>[];
  readonly findings: readonly Finding[];
  /** What no verdict follows from, and somebody should know. */
  readonly remarks: readonly string[];
}

export interface TrailReport {
  readonly verdict: Verdict;
  /** What concerns no instance that was found. */
  readonly findings: readonly Finding[];
  readonly instances: readonly InstanceReport[];
}

export function worst(verdicts: readonly Verdict[]): Verdict {
  const order = ['tampered', 'truncated', 'incomplete'] as const;
  return order.find((verdict) => verdicts.includes(verdict)) ?? 'ok';
}
