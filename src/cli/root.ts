/**
 * Whether this account may run the gateway. Root may try things out on a loopback address; where others can send
 * something, a fault of the gateway must not come with root's rights.
 */
import { isLoopback } from '../gateway/config-values.ts';
import type { Config } from '../gateway/config.ts';
import { listenersOf } from '../gateway/listener.ts';

const ownUid = process.getuid?.();

/** @param uid of the process; undefined where the platform knows none */
export function refuseRoot(host: string, uid = ownUid): void {
  if (uid === 0 && !isLoopback(host))
    throw new Error(`root must not serve ${host}; use an account without rights, or --allow-root`);
}

/** What root must not serve of a configuration, with its place there. */
export function refusedToRoot(config: Config, uid = ownUid): [place: string, host: string][] {
  const { admin, health } = config;
  const others = Object.entries({ admin, ...(health && { health }) });
  return [...listenersOf(config), ...others]
    .map(([place, { host }]): [string, string] => [`${place}.host`, host])
    .filter(([, host]) => uid === 0 && !isLoopback(host));
}
