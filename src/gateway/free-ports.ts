/**
 * Whether all that a configuration listens on can be listened on, found out before a trail is begun: of a start that fails
 * there must be no chain left, which nobody has a checkpoint of and every later proof would stumble over.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';

import type { Config } from './config.ts';
import { listenersOf } from './listener.ts';

/** Rejects with the error of the first that cannot; nobody is served. */
export async function requireFreePorts(config: Config): Promise<void> {
  const { admin, health } = config;
  const callers = listenersOf(config).map(([, settings]) => settings);
  for (const { host, port } of [admin, ...(health ? [health] : []), ...callers]) {
    await using server = createServer((socket) => void socket.destroy());
    server.listen(port, host);
    await once(server, 'listening');
  }
}
