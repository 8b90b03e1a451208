/**
 * What the console's page and its server say to each other: every endpoint with its path, method, role, request and reply.
 * Types and the one table of endpoints, so that both sides read it. Invariant: a text that a person typed never stands in an address; addresses carry
 * pseudonyms, so a link that is kept or logged names nobody.
 *
 * All paths stand below `/console/api`. Replies are JSON (`no-store`) unless said otherwise. A refusal is a `Problem` with
 * status 400, 401 (not logged on: show the log-on page), 403 (role, or CSRF), 404, 409, 413, 429 (with `retry-after`) or 503.
 * Whoever changes something (POST, DELETE) sends the header `x-csrf-token` with the value of `Session.csrf`.
 */
export type Role = 'auditor' | 'operator' | 'administrator';

export interface Problem {
  /** A word of ours: not-logged-on, wrong-log-on, throttled, forbidden, csrf, not-found, bad-request, conflict, too-many, unavailable. */
  readonly error: string;
  /** English, for whoever reads it; carries no personal data. */
  readonly detail: string;
}

/** `*` is whoever asks, logged on or not. Default deny: a path that is not here does not exist. */
export const endpoints = {
  /** → Session */
  session: { method: 'GET', path: '/session', roles: '*' },
  /** LogOnRequest → Session; 401 wrong-log-on, 429 throttled. Local accounts only. */
  logOn: { method: 'POST', path: '/log-on', roles: '*' },
  /** → 204. Also for a session that is over. */
  logOff: { method: 'POST', path: '/log-off', roles: '*' },

  /** → Overview */
  overview: { method: 'GET', path: '/overview', roles: ['operator', 'administrator'] },
  /** `text/event-stream`: event `overview` (data: Overview) once a second; event `end` when the session is over. 503 when too many look. */
  live: { method: 'GET', path: '/live', roles: ['operator', 'administrator'] },

  /** → AuditHealth */
  trails: { method: 'GET', path: '/audit/trails', roles: ['auditor', 'administrator'] },
  /** PseudonymRequest → PseudonymReply. The only place where a typed value goes to. */
  pseudonyms: { method: 'POST', path: '/audit/pseudonyms', roles: ['auditor', 'administrator'] },
  /** ?AuditQuery and `bars` → Histogram */
  histogram: { method: 'GET', path: '/audit/histogram', roles: ['auditor', 'administrator'] },
  /** ?AuditQuery and `limit`, `cursor`, `order` → RecordPage */
  records: { method: 'GET', path: '/audit/records', roles: ['auditor', 'administrator'] },
  /** → RecordDetail */
  record: { method: 'GET', path: '/audit/records/:record', roles: ['auditor', 'administrator'] },
  /** → ProofReply; 409 when no checkpoint covers the record yet */
  proof: { method: 'GET', path: '/audit/records/:record/proof', roles: ['auditor', 'administrator'] },
  /** ?AuditQuery and `format` → a file, streamed (`content-disposition: attachment`); a plain link will do */
  export: { method: 'GET', path: '/audit/export', roles: ['auditor', 'administrator'] },
  /** {} → 202 VerifyJob; the one that runs when one runs already */
  verify: { method: 'POST', path: '/audit/verifications', roles: ['auditor', 'administrator'] },
  /** → VerifyJob; ask once a second */
  verification: { method: 'GET', path: '/audit/verifications/:job', roles: ['auditor', 'administrator'] },
  /** → VerifyJob, `cancelled` */
  cancelVerification: {
    method: 'DELETE',
    path: '/audit/verifications/:job',
    roles: ['auditor', 'administrator'],
  },

  /** → Parties */
  parties: { method: 'GET', path: '/parties', roles: ['operator', 'administrator'] },
  /** Reason → ActionReply */
  forget: { method: 'POST', path: '/systems/:system/forget', roles: ['operator', 'administrator'] },
  /** PauseRequest → ActionReply. Calls under way end; new ones wait, or are refused with 429 when it would take too long. */
  pause: { method: 'POST', path: '/tenants/:tenant/pause', roles: ['operator', 'administrator'] },
  /** Reason → ActionReply */
  resume: { method: 'POST', path: '/tenants/:tenant/resume', roles: ['operator', 'administrator'] },
  /** Reason → ActionReply; 404 when nothing of that id is held */
  release: { method: 'POST', path: '/guard/:hold/release', roles: ['operator', 'administrator'] },

  /** Reason → ActionReply; 503 when the channel does not take it, with the reason as `detail` */
  testAlert: { method: 'POST', path: '/alerts/:channel/test', roles: ['operator', 'administrator'] },

  /** → Security */
  security: { method: 'GET', path: '/security', roles: ['administrator'] },
} as const satisfies Record<string, Endpoint>;

export interface Endpoint {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly roles: '*' | readonly Role[];
}

/**
 * The page goes here (a navigation, no fetch) to log on by OIDC; `?then=` names a path below `/console/` to come back to.
 * A log-on that fails leads to `/console/?refused=not-allowed`, `failed` or `expired`.
 */
export const oidcLogOnPath = '/console/log-on/oidc';

// ---- session

export interface Session {
  /** Absent: nobody is logged on. */
  readonly user?: {
    readonly name: string;
    readonly role: Role;
    readonly by: 'oidc' | 'local';
    /** Instants, ISO 8601. `idleEndsAt` moves with each request; live events do not move it. */
    readonly idleEndsAt: string;
    readonly endsAt: string;
  };
  /** For `x-csrf-token`; '' while nobody is logged on (log-on itself needs none). */
  readonly csrf: string;
  readonly logOn: {
    /** The text of the button when OIDC is configured. */
    readonly oidc?: string;
    readonly local: boolean;
  };
  readonly version: string;
  readonly instance: string;
}

export interface LogOnRequest {
  readonly user: string;
  readonly secret: string;
}

// ---- overview

export interface Overview {
  readonly at: string;
  readonly instance: string;
  readonly version: string;
  readonly startedAt: string;
  readonly ready: boolean;
  /** What keeps the gateway from taking calls, in English. */
  readonly obstacles: readonly string[];
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

/** answered: below 500 · refused: the gateway said no · failed: 500 or above · unknown: nobody knows. */
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

// ---- audit

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

export interface RecordRow {
  /** For `record` and `proof`; the same for good. */
  readonly id: string;
  readonly at: string;
  readonly instance: string;
  readonly event: string;
  readonly caller?: string;
  readonly address?: string;
  readonly system?: string;
  readonly tenant?: string;
  /** `patch Users` */
  readonly operation?: string;
  /** Pseudonym of the resource's id. */
  readonly resource?: string;
  readonly status?: number;
  readonly result?: string;
  readonly outcome?: keyof Outcomes;
  readonly error?: string;
  readonly cache?: string;
  readonly ms?: number;
  readonly request?: string;
  /** 1 nothing special … 4 look at it now. */
  readonly weight: 1 | 2 | 3 | 4;
}

export interface RecordDetail {
  readonly row: RecordRow;
  /** The line as it stands in the trail. */
  readonly line: string;
  /** All of the call, by time, this record among them; only this one when it belongs to none. */
  readonly call: readonly CallRecord[];
  /** How the call was decided, step by step, as far as its records say. */
  readonly trace: readonly TraceStep[];
  /** What went up to a tenant for it. */
  readonly physical: readonly PhysicalCall[];
}

export interface CallRecord {
  readonly row: RecordRow;
  readonly line: string;
}

export interface TraceStep {
  readonly step:
    | 'received'
    | 'identified'
    | 'asked'
    | 'authorised'
    | 'cache'
    | 'turn'
    | 'intent'
    | 'tenant'
    | 'answered';
  readonly at?: string;
  /** Went on, was the end of it, or is not known. */
  readonly state: 'passed' | 'ended' | 'unknown';
  /** Names and values to show, such as `credential`, `decision`, `waitedMs`. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
}

export interface PhysicalCall {
  /** The record of the intent. */
  readonly intent: string;
  /** Of the outcome; absent: nobody recorded one yet. */
  readonly outcome?: string;
  readonly tenant?: string;
  readonly system?: string;
  readonly method?: string;
  readonly path?: string;
  readonly attempt: number;
  readonly waitedMs?: number;
  readonly status?: number;
  readonly result?: string;
  readonly ms?: number;
  readonly tenantRequestId?: string;
}

export interface ProofReply {
  /** For `gatehouse audit check-proof`; offer it as a file. */
  readonly proof: unknown;
  readonly index: number;
  readonly size: number;
  readonly root: string;
  /** Whether the path leads to the root; the signature is for whoever has the log key. */
  readonly holds: boolean;
}

/** Parameter of an export. `lines` is the trail's own form; only it can be looked at again line by line. */
export type ExportFormat = 'ocsf' | 'ecs' | 'cef' | 'csv' | 'lines';

export interface VerifyJob {
  readonly id: string;
  readonly state: 'running' | 'done' | 'cancelled' | 'failed';
  readonly by: string;
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** When done. */
  readonly verdict?: 'ok' | 'incomplete' | 'truncated' | 'tampered';
  readonly findings?: readonly VerifyFinding[];
  readonly instances?: readonly {
    readonly instance: string;
    readonly verdict: 'ok' | 'incomplete' | 'truncated' | 'tampered';
    readonly records: number;
    readonly firstAt?: string;
    readonly lastAt?: string;
    readonly running: boolean;
  }[];
}

export interface VerifyFinding {
  readonly instance?: string;
  readonly verdict: 'incomplete' | 'truncated' | 'tampered';
  readonly file: string;
  readonly reason: string;
  readonly seq?: number;
}

// ---- systems and callers

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
  readonly snapshot?: { readonly ageMs?: number; readonly state: string };
  /** Whether a single read once said something else than the list pages. */
  readonly probe: {
    readonly state: 'agrees' | 'differs' | 'off';
    readonly at?: string;
    readonly detail?: string;
  };
}

export interface CallerState {
  readonly name: string;
  /** One sentence for each permission, such as `read, write: Users of S1`. */
  readonly may: readonly string[];
  readonly sourceNetworks?: readonly string[];
  readonly calls: number;
  readonly reads: number;
  readonly writes: number;
  readonly outcomes: Outcomes;
  readonly lastAt?: string;
}

/** Where alerts go to. */
export interface AlertChannel {
  readonly name: string;
  readonly type: 'webhook' | 'syslog' | 'smtp';
  /** The last try came through; true before the first. */
  readonly working: boolean;
  /** Alerts that wait for it. */
  readonly waiting: number;
}

/** A burst of changes that the guard holds back. */
export interface Hold {
  readonly id: string;
  readonly caller: string;
  readonly system: string;
  readonly what: string;
  readonly count: number;
  readonly since: string;
}

/** Why; 3 to 500 characters, recorded in the trail. No personal data belongs there, and the page should say so. */
export interface Reason {
  readonly reason: string;
}

export interface PauseRequest extends Reason {
  /** 1 to 1440; then calls go up again by themselves. */
  readonly minutes: number;
}

export interface ActionReply {
  /** In English, what happened. */
  readonly done: string;
}

// ---- security

export interface Security {
  readonly checks: readonly SecurityCheck[];
}

export interface SecurityCheck {
  /** Stable, such as `listen.tls`; for translations. */
  readonly id: string;
  readonly area: 'listeners' | 'callers' | 'tenants' | 'audit' | 'cache' | 'console' | 'process' | 'expiry';
  readonly title: string;
  readonly state: 'good' | 'advice' | 'danger';
  readonly detail: string;
  /** Absent when it is good. */
  readonly remedy?: string;
  /** The key of the configuration. */
  readonly setting?: string;
}
