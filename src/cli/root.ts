/**
 * Whether this account may run the gateway. Root may try things out on a loopback address; where others can send
 * something, a fault of the gateway must not come with root's rights.
 */
import { isLoopback } from '../gateway/config-values.ts';

/** @param uid of the process; undefined where the platform knows none */
export function refuseRoot(host: string, uid = process.getuid?.()): void {
  if (uid === 0 && !isLoopback(host))
    throw new Error(`root must not serve ${host}; use an account without rights, or --allow-root`);
}
