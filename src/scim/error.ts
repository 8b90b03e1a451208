/**
 * The one error of the line. `kind` decides status and scimType; `message` is the detail that may be told
 * to a caller, so it never repeats what a caller or a tenant sent; `cause` is for the log alone.
 */
/** kind → HTTP status and RFC 7644 §3.12 scimType. The reasons and remedies are in docs/errors.md. */
export const kinds = {
  'bad-request': { status: 400 },
  'invalid-syntax': { status: 400, scimType: 'invalidSyntax' },
  'invalid-filter': { status: 400, scimType: 'invalidFilter' },
  'invalid-path': { status: 400, scimType: 'invalidPath' },
  'invalid-value': { status: 400, scimType: 'invalidValue' },
  'unsupported-grant': { status: 400 },
  'no-target': { status: 400, scimType: 'noTarget' },
  'too-many': { status: 400, scimType: 'tooMany' },
  mutability: { status: 400, scimType: 'mutability' },
  unauthenticated: { status: 401 },
  'invalid-token': { status: 401 },
  forbidden: { status: 403 },
  'foreign-network': { status: 403 },
  'forbidden-attribute': { status: 403 },
  sensitive: { status: 403, scimType: 'sensitive' },
  held: { status: 403 },
  'not-found': { status: 404 },
  'method-not-allowed': { status: 405 },
  'body-timeout': { status: 408 },
  conflict: { status: 409, scimType: 'uniqueness' },
  'lost-update': { status: 409 },
  'still-running': { status: 409 },
  'patch-not-mapped': { status: 400 },
  'precondition-failed': { status: 412 },
  'too-large': { status: 413 },
  'target-too-long': { status: 414 },
  'unsupported-media': { status: 415 },
  'expectation-failed': { status: 417 },
  misdirected: { status: 421 },
  'key-reused': { status: 422 },
  busy: { status: 429 },
  throttled: { status: 429 },
  'headers-too-large': { status: 431 },
  'caller-left': { status: 499 },
  internal: { status: 500 },
  'upstream-unreachable': { status: 502 },
  'upstream-refused-us': { status: 502 },
  'upstream-broke': { status: 502 },
  'audit-unavailable': { status: 503 },
  'issuer-unreachable': { status: 503 },
  'load-held': { status: 503 },
  draining: { status: 503 },
  'http-version': { status: 505 },
  'upstream-timeout': { status: 504 },
  'outcome-unknown': { status: 504 },
} as const satisfies Record<string, { status: number; scimType?: string }>;

export type Kind = keyof typeof kinds;

/** What a `busy` call waited for in vain. */
export type Wait =
  | 'tenant-held'
  | 'tenant-refusing'
  | 'tenant-turn'
  | 'tenant-queue'
  | 'system-turn'
  | 'system-queue'
  | 'caller-turn'
  | 'caller-queue'
  | 'group'
  | 'log-ons';

/** Of a `held` call, the hold. */
export type Why = Wait | `hold ${string}`;

type Fields = Readonly<Record<string, string | undefined>>;

export interface ScimErrorOptions {
  readonly cause?: unknown;
  /** Seconds until another try makes sense; sent as `Retry-After`. */
  readonly retryAfter?: number;
  /** Which of the causes of its kind it was; for the trail, and `gatehouse explain`. */
  readonly why?: Why;
  /** Further header fields of the answer, such as `allow` or `www-authenticate`. */
  readonly headers?: Fields;
}

export class ScimError extends Error {
  readonly kind: Kind;
  readonly status: number;
  readonly scimType: string | undefined;
  readonly headers: Fields;
  readonly why: Why | undefined;

  constructor(kind: Kind, detail: string, { cause, retryAfter, why, headers = {} }: ScimErrorOptions = {}) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = 'ScimError';
    const row: { status: number; scimType?: string } = kinds[kind];
    this.kind = kind;
    this.status = row.status;
    this.scimType = row.scimType;
    this.why = why;
    this.headers = retryAfter === undefined ? headers : { ...headers, 'retry-after': String(retryAfter) };
  }

  /** The body of RFC 7644 §3.12; `status` is a string there. */
  toBody(): Buffer {
    return errorBody(this.status, this.message, this.scimType);
  }
}

export function errorBody(status: number, detail: string, scimType?: string): Buffer {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error'];
  return Buffer.from(
    JSON.stringify({ schemas, status: String(status), ...(scimType && { scimType }), detail }),
  );
}
