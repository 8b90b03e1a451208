/** Questions about the trails of all replicas and what was found, as far as it is more than one record. */
import type { AuditPulse, Outcomes } from './overview.ts';
import type { RecordRow } from './record.ts';

/**
 * As parameters of an address; all that are given must hold. `from` and `to` are ISO 8601 instants, both ends included.
 * `outcome` is one of Outcomes' names and means calls only. `pseudonym` may stand several times: any of them.
 * The others are those of `gatehouse audit search`.
 */
export interface AuditQuery {
  readonly from?: string;
  readonly to?: string;
  readonly caller?: string;
  readonly system?: string;
  readonly tenant?: string;
  readonly kind?: string;
  readonly effect?: 'read' | 'write';
  readonly resourceType?: string;
  readonly outcome?: keyof Outcomes;
  readonly result?: string;
  readonly error?: string;
  readonly status?: string;
  readonly address?: string;
  readonly request?: string;
  readonly event?: string;
  readonly pseudonym?: readonly string[];
  /** Only the trails of these replicas; may stand several times. */
  readonly instance?: readonly string[];
}

export interface AuditHealth {
  readonly trails: readonly TrailState[];
  /** What other trails name and no directory here holds, by its origin. */
  readonly missing: readonly { readonly origin: string; readonly namedBy: string; readonly size: number }[];
  readonly records: number;
  readonly bytes: number;
  /** How much of the trails the index knows already, 0 to 1; searches are right before that, only slower. */
  readonly indexed: number;
  readonly pulse: AuditPulse;
}

export interface TrailState {
  readonly instance: string;
  readonly chain: string;
  readonly running: boolean;
  /** No record for over three minutes although nothing ended it in order; or its process is gone. */
  readonly silent: boolean;
  readonly firstAt?: string;
  readonly lastAt?: string;
  readonly records: number;
  readonly segments: number;
  readonly bytes: number;
  readonly checkpoint?: { readonly size: number; readonly at: string };
}

export interface PseudonymRequest {
  readonly value: string;
  /** Absent: any. */
  readonly type?: 'id' | 'value' | 'name';
}

export interface PseudonymReply {
  /** One for each period and type; for `AuditQuery.pseudonym`. */
  readonly pseudonyms: readonly string[];
}

/** Parameters `bars` (1 to 240, default 120). Without `from` and `to` it spans the trails. */
export interface Histogram {
  readonly from: string;
  readonly to: string;
  readonly stepMs: number;
  readonly bars: readonly HistogramBar[];
  /** All records that fit, also those that are no calls. */
  readonly total: number;
  readonly facets: {
    readonly caller: readonly FacetValue[];
    readonly system: readonly FacetValue[];
    /** `kind resourceType`, such as `patch Users`; choose one by `kind` and `resourceType`. */
    readonly operation: readonly (FacetValue & { readonly kind: string; readonly resourceType?: string })[];
    readonly outcome: readonly FacetValue[];
    readonly event: readonly FacetValue[];
    readonly instance: readonly FacetValue[];
  };
  /** Trails that say nothing, as in TrailState. */
  readonly silent: readonly string[];
  readonly damages: readonly Damage[];
}

export interface HistogramBar extends Outcomes {
  readonly at: string;
  /** Records that are no ends of calls. */
  readonly other: number;
}

export interface FacetValue {
  readonly value: string;
  readonly count: number;
}

export interface Damage {
  readonly instance: string;
  readonly file: string;
  readonly reason: string;
}

/** Parameters `limit` (1 to 1000, default 200), `order` (`newest`, the default, or `oldest`), `cursor` (of the page before). */
export interface RecordPage {
  readonly records: readonly RecordRow[];
  /** Absent: there are no more. */
  readonly next?: string;
  /** All that fit, of all pages; absent where only counting each would tell. */
  readonly total?: number;
  readonly silent: readonly string[];
  readonly damages: readonly Damage[];
}
