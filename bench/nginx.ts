/**
 * nginx as a caching reverse proxy beside Gatehouse: basic authentication of the callers, its own credential at the tenant,
 * `proxy_cache` and an access log. One worker process, as Gatehouse is one; unprivileged and in a directory of its own.
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chown, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { basic } from '../test/ips/started-tenant.ts';
import { freePort } from '../test/support/redis.ts';
import { type Entrance, systemPath } from './entrance.ts';
import { findProgram } from './program.ts';

/** Who starts it may be root; it never is. */
const nobody = { uid: 65_534, gid: 65_534 };
const user = 'caller';
const secret = randomBytes(18).toString('base64url');

export function findNginx(given = 'nginx'): string | undefined {
  return findProgram(given);
}

export interface NginxSettings {
  readonly upstream: string;
  /** How long a reply is fresh; nginx knows whole seconds. */
  readonly freshMs: number;
  /** Path of the program; looked for when absent. */
  readonly nginx?: string | undefined;
}

export async function startNginx({
  upstream,
  freshMs,
  nginx,
}: NginxSettings): Promise<Entrance & AsyncDisposable> {
  const program = findNginx(nginx);
  if (!program) throw new Error('nginx is missing');
  await using starting = new AsyncDisposableStack();
  const directory = starting.use(await mkdtempDisposable(join(tmpdir(), 'gatehouse-bench-nginx-')));
  const port = await freePort();
  await writeFile(join(directory.path, 'callers'), `${user}:${salted(secret)}\n`, { mode: 0o644 });
  const file = join(directory.path, 'nginx.conf');
  await writeFile(file, configuration({ port, upstream, freshSeconds: Math.ceil(freshMs / 1000) }));
  const account = process.getuid?.() === 0 ? nobody : undefined;
  if (account) await chown(directory.path, account.uid, account.gid);
  const child = spawn(program, ['-p', directory.path, '-c', file, '-e', 'error.log', '-g', 'daemon off;'], {
    stdio: ['ignore', 'inherit', 'inherit'],
    ...account,
  });
  const ended = once(child, 'exit');
  starting.defer(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  await listening(port, child);
  const parts = starting.move();
  return {
    bases: [`http://127.0.0.1:${port}${systemPath}`],
    authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`,
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

/** The cheapest of the salted forms that nginx checks. */
function salted(text: string): string {
  const salt = randomBytes(8);
  const digest = createHash('sha1').update(text).update(salt).digest();
  return `{SSHA}${Buffer.concat([digest, salt]).toString('base64')}`;
}

function configuration({
  port,
  upstream,
  freshSeconds,
}: {
  readonly port: number;
  readonly upstream: string;
  readonly freshSeconds: number;
}): string {
  return `worker_processes 1;
pid nginx.pid;
error_log error.log warn;
events { worker_connections 1024; }
http {
  access_log access.log combined;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  client_max_body_size 8m;
  proxy_cache_path cache keys_zone=replies:64m max_size=4g inactive=1d use_temp_path=off;
  upstream tenant { server ${new URL(upstream).host}; keepalive 32; }
  server {
    listen 127.0.0.1:${port};
    location / {
      auth_basic tenant;
      auth_basic_user_file callers;
      proxy_pass http://tenant;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Authorization "${basic}";
      proxy_cache replies;
      proxy_cache_valid 200 ${freshSeconds}s;
      proxy_cache_lock on;
    }
  }
}
`;
}

async function listening(port: number, child: { readonly exitCode: number | null }): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (child.exitCode !== null) throw new Error('nginx ended before it served');
    const socket = connect(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await sleep(50); // not yet
    } finally {
      socket.destroy();
    }
  }
  throw new Error('nginx does not listen');
}
