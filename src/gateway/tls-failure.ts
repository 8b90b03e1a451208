/**
 * Tells the trail when TLS found the tenant's side wrong: somebody else may be in its place, or a certificate was not
 * renewed. Nothing was sent then, and what the caller is told stays the same.
 */
import type { Trail } from '../audit/trail.ts';
import { describeError, log } from '../log.ts';
import { NoReply, type Forward } from './forward.ts';
import { PinMismatch } from './pins.ts';

/** Codes of OpenSSL's verification, of its protocol, of Node's comparison of names, and ours. */
const tlsCode =
  /CERT|CRL|ISSUER|SIGNATURE|^INVALID_(?:CA|PURPOSE)$|^ERR_(?:TLS|SSL)_|^EPROTO$|^PIN_MISMATCH$/;

interface Place {
  readonly tenant: string;
  readonly host: string;
}

export function tellTlsFailures(forward: Forward, trail: Pick<Trail, 'note'>, place: Place): Forward {
  return async (call, deadline) => {
    try {
      return await forward(call, deadline);
    } catch (thrown) {
      const failure = thrown instanceof NoReply && !thrown.sent ? failureOf(thrown.cause) : undefined;
      if (failure)
        trail
          .note('upstream.tls_failure', { ...place, ...failure })
          .catch((error: unknown) =>
            log.warn('upstream.tls_failure could not be recorded', describeError(error)),
          );
      throw thrown;
    }
  };
}

function failureOf(
  cause: unknown,
): { readonly code: string; readonly found?: readonly string[] } | undefined {
  if (cause instanceof PinMismatch) return { code: cause.code, found: cause.found };
  if (!(cause instanceof Error) || !('code' in cause)) return undefined;
  const code = String(cause.code);
  return tlsCode.test(code) ? { code } : undefined;
}
