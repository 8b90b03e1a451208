/** Systems, tenants and callers, and what an operator does to them. */
import type { Outcomes, TenantGauge } from './overview.ts';

export interface Parties {
  /** Counts are of this replica since this instant. */
  readonly since: string;
  readonly systems: readonly SystemState[];
  readonly tenants: readonly TenantGauge[];
  readonly callers: readonly CallerState[];
  readonly holds: readonly Hold[];
  readonly channels: readonly AlertChannel[];
}

export interface SystemState {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly kind: string;
  readonly resourceTypes: readonly string[];
  /** Calls answered; calls that went up for them; reads that needed none. */
  readonly calls: number;
  readonly up: number;
  readonly saved: number;
  readonly cache: {
    readonly on: boolean;
    /** How long an answer is fresh, in ms. */
    readonly lifetimeMs: number;
    /** The age of the oldest answer that was given out of the cache in the last 15 minutes. */
    readonly oldestServedMs?: number;
    readonly forgottenAt?: string;
  };
  /** Absent where the system keeps none. */
  readonly snapshot?: { readonly ageMs?: number; readonly state: SnapshotState };
  /** Whether a single read once said something else than the list pages. */
  readonly probe: {
    readonly state: 'untried' | 'agrees' | 'differs' | 'off';
    readonly at?: string;
    readonly detail?: string;
  };
}

/** Lists are answered from it, it is not whole yet, or it could not be renewed in time. */
export type SnapshotState = 'shown' | 'building' | 'faulty';

export interface CallerState {
  readonly name: string;
  readonly may: readonly Permitted[];
  readonly sourceNetworks?: readonly string[];
  readonly calls: number;
  readonly reads: number;
  readonly writes: number;
  readonly outcomes: Outcomes;
  readonly lastAt?: string;
}

/** One permission: to read or write systems, or to use an interface of SAP for source systems. */
export interface Permitted {
  readonly what: readonly ('read' | 'write')[] | string;
  /** Absent where it is an interface. */
  readonly resourceTypes?: 'all' | readonly string[];
  readonly systems: 'all' | readonly string[];
  /** Attributes that it leaves out. */
  readonly without: readonly string[];
}

/** Where alerts go to. */
export interface AlertChannel {
  readonly name: string;
  readonly type: 'webhook' | 'syslog' | 'smtp';
  /** The last try came through; absent before the first. */
  readonly working?: boolean;
  /** Alerts that wait for it. */
  readonly waiting: number;
}

/** A burst of changes that the guard holds back. */
export interface Hold {
  readonly id: string;
  readonly caller: string;
  readonly system: string;
  readonly what: string;
  /** How much it is about, and the most that can be released. */
  readonly count: number;
  readonly since: string;
  /** Somebody has released it: so much of it may still pass. Absent when nothing may, or no longer. */
  readonly released?: number;
}

/** Why; 3 to 500 characters, recorded in the trail. No personal data belongs there, and the page should say so. */
export interface Reason {
  readonly reason: string;
}

export interface PauseRequest extends Reason {
  /** 1 to 1440; then calls go up again by themselves. */
  readonly minutes: number;
}

export interface ReleaseRequest extends Reason {
  /** How much may pass: 1 to the count of the hold. */
  readonly count: number;
  /** 1 to 1440; what has not passed by then is held again. */
  readonly minutes: number;
}

export interface ActionReply {
  /** In English, what happened. */
  readonly done: string;
}
