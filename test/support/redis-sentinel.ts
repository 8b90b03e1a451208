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
 * @param shown directory with `redis.crt` and `redis.key`, if everything speaks TLS alone
 */
export async function startWatched(user: string, sentinelUser: string, shown?: string): Promise<Watched> {
  await using starting = new AsyncDisposableStack();
  const directory = starting.use(await mkdtempDisposable(join(tmpdir(), 'gatehouse-sentinel-'))).path;
  const [watchedPort, replicaPort, ...ports] = await Promise.all([1, 2, 3, 4, 5].map(freePort));
  if (watchedPort === undefined || replicaPort === undefined) throw new TypeError('there are five');
  const startServer = async (port: number, ...more: string[]): Promise<RedisServer> => {
    const listening = listenOn(port, shown).flatMap(([key, value]) => [`--${key}`, value]);
    return starting.use(await startRedis([...listening, '--user', ...user.split(' '), ...more]));
  };
  const primary = await startServer(watchedPort);
  const replica = await startServer(replicaPort, '--replicaof', '127.0.0.1', `${watchedPort}`);
  for (const port of ports) {
    const lines = listenOn(port, shown).map((line) => line.join(' '));
    lines.push('bind 127.0.0.1', `user ${sentinelUser}`, ...watching(watchedPort));
    starting.use(await startSentinel(join(directory, `${port}.conf`), lines));
  }
  const parts = starting.move();
  return {
    primary,
    replica,
    sentinels: ports.map((port) => ({ host: '127.0.0.1', port })),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

function listenOn(port: number, shown: string | undefined): [key: string, value: string][] {
  if (shown === undefined) return [['port', `${port}`]];
  const certificate = join(shown, 'redis.crt');
  return [
    ['port', '0'],
    ['tls-port', `${port}`],
    ['tls-replication', 'yes'],
    ['tls-auth-clients', 'no'],
    ['tls-cert-file', certificate],
    ['tls-ca-cert-file', certificate],
    ['tls-key-file', join(shown, 'redis.key')],
  ];
}

function watching(primary: number): string[] {
  return [
    `sentinel monitor gatehouse 127.0.0.1 ${primary} 2`,
    'sentinel down-after-milliseconds gatehouse 500',
    'sentinel failover-timeout gatehouse 3000',
  ];
}

async function startSentinel(file: string, lines: readonly string[]): Promise<AsyncDisposable> {
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
