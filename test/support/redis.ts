/**
 * A real redis-server of a test's own, on a free port of the loopback, that can be frozen, thawed and killed.
 * It writes nothing to disk, unless it is told to, and ends with the test.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposable } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Redis } from 'ioredis';

export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  /** Stops the process as it is: connections stay open and nobody answers. */
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  /** After `kill`: begins again on the same port, with nothing remembered. */
  restart(): Promise<void>;
}

export async function startRedis(settings: readonly string[] = []): Promise<RedisServer> {
  const port = await freePort();
  let child = await run(port, settings);
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    kill: () => end(child),
    restart: async () => {
      child = await run(port, settings);
    },
    [Symbol.asyncDispose]: () => end(child),
  };
}

export interface SavingRedis extends RedisServer {
  /** Writes a dump, from which `restart` begins. */
  save(): Promise<void>;
}

export async function startSavingRedis(): Promise<SavingRedis> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-dump-'));
  starting.defer(() => directory.remove());
  const server = starting.use(await startRedis(['--dir', directory.path]));
  const parts = starting.move();
  return {
    ...server,
    save: async () => {
      const redis = new Redis(server.url);
      await redis.save();
      redis.disconnect();
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  assert.ok(typeof address === 'object' && address);
  return address.port;
}

async function run(port: number, settings: readonly string[]): Promise<ChildProcess> {
  const fixed = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', [...fixed, '--dir', tmpdir(), ...settings], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child, 'spawn');
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.includes('Ready to accept connections')) resolve();
  });
  child.once('exit', () => reject(new Error(`redis-server ended: ${output}`)));
  await ready;
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
