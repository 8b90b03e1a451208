/** How a pacer refuses: what it says of the one who is waited for, and when it is worth coming again. */
import { ScimError, type Why } from '../scim/error.ts';

export interface RefusalDetails {
  readonly of: 'tenant' | 'system' | 'caller';
  readonly tooLate: string;
  readonly tooMany: string;
}

const maxRetryAfter = 120;

export const aboutTheTenant: RefusalDetails = {
  of: 'tenant',
  tooLate: 'Waiting for the tenant would take longer than the caller waits.',
  tooMany: 'Too many calls are waiting for the tenant.',
};

export function busy(detail: string, untilUs: number, why: Why): ScimError {
  const seconds = Math.ceil(untilUs / 1_000_000);
  return new ScimError('busy', detail, { retryAfter: Math.min(Math.max(seconds, 1), maxRetryAfter), why });
}

export function drained(): ScimError {
  return new ScimError('draining', 'The gateway is shutting down.', { retryAfter: 5 });
}
