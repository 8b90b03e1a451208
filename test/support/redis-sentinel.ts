/** A primary with one replica, watched by three real Sentinels, which promote the replica within two seconds or so. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort, startRedis, type RedisServer } from './redis.ts';

export interface Watched extends AsyncDisposable {
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
}

/**
 * @param user a line of `ACL SETUSER` for the account in both servers
 * @param sentinelUser the same for the account at the Sentinels
 */
export async function startWatched(user: string, sentinelUser: string): Promise<Watched> {
  await using starting = new AsyncDisposableStack();
  const account = ['--user', ...user.split(' ')];
  const primary = starting.use(await startRedis(account));
  const replica = starting.use(await startRedis([...account, '--replicaof', '127.0.0.1', `${primary.port}`]));
  const directory = starting.use(await mkdtempDisposable(join(tmpdir(), 'gatehouse-sentinel-'))).path;
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  for (const port of ports)
    starting.use(await startSentinel(join(directory, `${port}.conf`), port, primary.port, sentinelUser));
  const parts = starting.move();
  return {
    primary,
    replica,
    sentinels: ports.map((port) => ({ host: '127.0.0.1', port })),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function startSentinel(
  file: string,
  port: number,
  primary: number,
  user: string,
): Promise<AsyncDisposable> {
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `user ${user}`,
    `sentinel monitor gatehouse 127.0.0.1 ${primary} 2`,
    'sentinel down-after-milliseconds gatehouse 500',
    'sentinel failover-timeout gatehouse 3000',
  ];
  await writeFile(file, lines.join('\n'));
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child, 'spawn');
  const { promise: watching, resolve, reject } = Promise.withResolvers<void>();
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.includes('+monitor master')) resolve();
  });
  child.once('exit', () => reject(new Error(`the sentinel ended: ${output}`)));
  await watching;
  return {
    async [Symbol.asyncDispose]() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
