/** What is the case now, as the overview shows it. */
export interface Overview {
  readonly at: string;
  readonly instance: string;
  readonly version: string;
  readonly startedAt: string;
  readonly ready: boolean;
  /** What keeps the gateway from taking calls, in English. */
  readonly obstacles: readonly string[];
  /** What the gateway makes do without now; calls are taken all the same. */
  readonly shortages: readonly Shortage[];
  /** The last 15 minutes of this replica, in steps of 10 s, the oldest first; the last step is under way. */
  readonly traffic: readonly TrafficStep[];
  /** Of the last five minutes. */
  readonly outcomes: Outcomes;
  readonly cache: {
    readonly used: boolean;
    /** Share of reads that were answered without the tenant, 0 to 1; absent without a read. */
    readonly hitShare?: number;
    readonly hits: number;
    readonly reads: number;
  };
  /** Of calls of the last five minutes, in ms; absent without a call. */
  readonly latency?: {
    readonly p50: number;
    readonly p90: number;
    readonly p99: number;
    readonly max: number;
  };
  readonly tenants: readonly TenantGauge[];
  /** The soonest first. */
  readonly expiring: readonly Expiring[];
  readonly audit: AuditPulse;
  readonly destinations: readonly DestinationGauge[];
  /** Calls of this replica that are at work now. */
  readonly running: number;
}

/** What `/health/ready` calls degraded. */
export interface Shortage {
  readonly kind: 'redis' | 'quota' | 'delivery';
  /** The tenant or the destination. */
  readonly of?: string;
}

/**
 * answered: below 500, a tenant's 404 too · refused: the gateway said no · failed: 500 or above, or the caller gave up ·
 * unknown: nobody knows.
 */
export interface Outcomes {
  readonly answered: number;
  readonly refused: number;
  readonly failed: number;
  readonly unknown: number;
}

export interface TrafficStep extends Outcomes {
  readonly at: string;
  readonly hits: number;
  readonly up: number;
}

export interface TenantGauge {
  readonly tenant: string;
  /** Calls that this replica sent in the last minute, and how many the configuration lets go in a minute. */
  readonly upLastMinute: number;
  readonly perMinute: number;
  /** Among how many the pace is parted, and what this one may send in a minute without what the others leave it. */
  readonly replicas: number;
  readonly part: number;
  readonly burst: number;
  /** What the tenant grants. */
  readonly tenantLimit: number;
  readonly queued: number;
  readonly running: number;
  /** What a call of the lowest priority would wait now, in ms. */
  readonly predictedWaitMs: number;
  /** Share of the pace that is kept to, 0 to 1. */
  readonly tempo: number;
  /** Nobody goes up for so long, because the tenant said 429; 0 when it did not. */
  readonly refusedForMs: number;
  /** Set by an operator; absent when calls go up. */
  readonly paused?: Paused;
  /** Whether replicas leave each other what they do not need; else each keeps to its part. */
  readonly shared: boolean;
}

export interface Paused {
  readonly since: string;
  readonly until: string;
  readonly by: string;
  readonly reason: string;
}

export interface Expiring {
  readonly kind: 'cert' | 'secret';
  /** The key of the configuration, or the technical user. */
  readonly what: string;
  readonly subject?: string;
  readonly notAfter: string;
  readonly daysLeft: number;
}

export interface AuditPulse {
  /** Records can be written. */
  readonly ready: boolean;
  readonly freeBytes?: number;
  /** The newest checkpoint of this replica; absent before the first. */
  readonly checkpoint?: { readonly size: number; readonly at: string };
  /** The last verification that was run from here and said `ok` or `incomplete`. */
  readonly verifiedUntil?: string;
}

export interface DestinationGauge {
  readonly name: string;
  readonly working: boolean;
  readonly lagSeconds: number;
  readonly lagRecords: number;
  readonly sent: number;
  readonly dropped: number;
}
