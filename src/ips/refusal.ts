/**
 * What the tenant says no with: its own refusals and the failures of a backend, both as SCIM error bodies.
 * `status` is a JSON number and a backend's raw answer is quoted in `detail`, because the real tenant does so
 * (facts: IPS 4.1); a gateway that cannot live with that must notice here first.
 */
import { schemas } from '../scim/message.ts';

export type ScimType =
  | 'invalidFilter'
  | 'invalidPath'
  | 'invalidSyntax'
  | 'invalidValue'
  | 'mutability'
  | 'noTarget'
  | 'tooMany'
  | 'uniqueness';

export interface RefusalOptions {
  readonly scimType?: ScimType | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

export class Refusal extends Error {
  readonly status: number;
  readonly scimType: ScimType | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: string, { scimType, headers = {}, cause }: RefusalOptions = {}) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = 'Refusal';
    this.status = status;
    this.scimType = scimType;
    this.headers = headers;
  }
}

/** A backend's own error answer, before the tenant wraps it. */
export class BackendFailure extends Error {
  readonly status: number;
  /** The raw answer, as the backend wrote it. */
  readonly answer: string;

  constructor(status: number, answer: string) {
    super(`backend answered ${status}`);
    this.name = 'BackendFailure';
    this.status = status;
    this.answer = answer;
  }
}

/** The backend did not answer in time; whether it did the work is unknown. */
export class BackendTimeout extends BackendFailure {
  constructor() {
    super(504, 'Read timed out');
  }
}

/** A failure of a SCIM backend: there `status` is a string (RFC 7644 §3.12). */
export function scimFailure(status: number, detail: string, scimType?: ScimType): BackendFailure {
  const body = { schemas: [schemas.error], ...(scimType && { scimType }), detail, status: String(status) };
  return new BackendFailure(status, JSON.stringify(body));
}

export type Attempt = 'read' | 'create' | 'update' | 'patch' | 'delete';

/** Runs one backend call and tells its failure the way IPS does: same status, backend's address and answer quoted. */
export async function attempt<T>(verb: Attempt, url: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (!(cause instanceof BackendFailure)) throw cause;
    const failed = `HTTP operation failed invoking ${url} with statusCode: ${cause.status}`;
    const detail = `Failed to ${verb} entity. ${failed} and response: ${cause.answer}`;
    throw new Refusal(cause.status, detail, { cause });
  }
}

export function refusalBody(refusal: Refusal, statusAs: 'number' | 'string'): string {
  const { status, scimType, message } = refusal;
  return JSON.stringify({
    schemas: [schemas.error],
    ...(scimType && { scimType }),
    detail: message,
    status: statusAs === 'number' ? status : String(status),
  });
}
