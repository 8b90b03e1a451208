/** Who is logged on, and how to. */
import type { Role } from './endpoints.ts';

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
  /** Absent as `user` is: a stranger learns neither version nor names. */
  readonly gateway?: Gateway;
}

export interface Gateway {
  readonly version: string;
  readonly instance: string;
}

export interface LogOnRequest {
  readonly user: string;
  readonly secret: string;
}
