/**
 * What the console's page asks of its server: every endpoint with its path, method and role, so that both sides read one table.
 * Invariant: a text that a person typed never stands in an address; addresses carry pseudonyms, so a link that is kept or
 * logged names nobody.
 *
 * All paths stand below `/console/api`. Replies are JSON (`no-store`) unless said otherwise. A refusal is a `Problem` with
 * status 400, 401 (not logged on: show the log-on page), 403 (role, or CSRF), 404, 409, 413, 429 (with `retry-after`) or 503.
 * Whoever changes something (POST, DELETE) sends the header `x-csrf-token` with the value of `Session.csrf`.
 */
export type Role = 'auditor' | 'operator' | 'administrator';

export interface Problem {
  /** A word of ours: not-logged-on, wrong-log-on, throttled, forbidden, csrf, not-found, bad-request, conflict, too-many, unavailable, not-taken. */
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
  /** ReleaseRequest → ActionReply; 404 when nothing of that id is held */
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
