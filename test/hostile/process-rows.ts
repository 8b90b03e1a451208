/** Rows 115 and 116: a gateway as a process of its own, with a fault that nobody catches, and without descriptors. */
import { execFileSync } from 'node:child_process';
import { mkdtempDisposable, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { parse, stringify } from 'yaml';

import { verifyTrail } from '../../src/audit/verify.ts';
import { startChild, type Child } from '../support/child.ts';
import { readRecords } from '../support/gateway.ts';
import { prepareInstallation } from '../support/installation.ts';
import { RawConnection } from '../support/raw.ts';
import type { Siege } from '../support/siege.ts';
import { sendScim, startUpstream } from '../support/upstream.ts';
import { base } from './plain-stage.ts';
import { served, type Case, type Stage } from './row.ts';

interface ChildSiege extends Siege {
  readonly child: Child;
}

interface Settings {
  /** A module that is loaded before the gateway. */
  readonly preload?: string;
  /** Most files and sockets that it may have open. */
  readonly maxFiles?: number;
  /** Top-level keys of the configuration that are other than the installation's. */
  readonly config?: object;
}

async function besiegeChild({ preload, maxFiles, config }: Settings): Promise<ChildSiege> {
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-child-'));
  const upstream = await startUpstream();
  const { file, authorization } = await prepareInstallation(directory.path, upstream.url);
  if (config) await writeFile(file, stringify({ ...parse(await readFile(file, 'utf8')), ...config }));
  const child = await startChild(file, preload === undefined ? [] : ['--import', preload]);
  if (maxFiles !== undefined)
    execFileSync('prlimit', ['--pid', String(child.process.pid), `--nofile=${maxFiles}`]);
  const authority = new URL(child.url).host;
  const auditDirectory = join(directory.path, 'audit');
  const records = (): ReturnType<Siege['records']> => readRecords(auditDirectory);
  const stop = async (): Promise<void> => {
    if (child.process.exitCode === null) await child.end('SIGTERM');
  };
  return {
    child,
    upstream,
    gateway: {
      url: child.url,
      adminUrl: child.admin,
      authority,
      authorityOf: () => authority,
      base: child.url + base,
      basePath: base,
      auditDirectory,
      logOn: () => authorization,
      call: (method, path) => fetch(child.url + base + path, { method, headers: { authorization } }),
      records,
      [Symbol.asyncDispose]: stop,
    },
    head: (method, path) => [
      `${method} ${base}${path} HTTP/1.1`,
      `Host: ${authority}`,
      `Authorization: ${authorization}`,
    ],
    records,
    async end() {
      await stop();
      return records();
    },
    async [Symbol.asyncDispose]() {
      await stop();
      await upstream[Symbol.asyncDispose]();
      await directory.remove();
    },
  };
}

const faulty: Case<ChildSiege> = {
  sent: 'while a write is at work',
  open: () => besiegeChild({ preload: join(import.meta.dirname, 'fault.ts') }),
  play: async (scene) => {
    const { siege } = scene;
    const asked = Promise.withResolvers<() => void>();
    siege.upstream.answer = (_request, response) =>
      asked.resolve(() => sendScim(response, 201, { schemas: [] }));
    const write = scene.call('POST', '/Users', {});
    const release = await asked.promise;
    siege.child.process.kill('SIGUSR2');
    await sleep(300);
    release();
    await write;
    const { process } = siege.child;
    for (let tries = 0; process.exitCode === null && tries < 200; tries += 1) await sleep(50);
    if (process.exitCode === 1) scene.found.add('ended');
    if ((await verifyTrail(siege.gateway.auditDirectory)).verdict === 'ok') scene.found.add('sound');
  },
  expected: served('201', 'POST'),
  besides: {
    'the exit code is 1': ({ found }) => found.has('ended'),
    'the trail is closed and sound': ({ found }) => found.has('sound'),
  },
};

/** Takes connections until none is given any more, and keeps them. */
async function exhaust(authority: string, count: number): Promise<RawConnection[]> {
  const held: RawConnection[] = [];
  for (let at = 0; at < count; at += 1) held.push(await RawConnection.open(authority));
  await sleep(200);
  return held;
}

const withoutDescriptors: Case<ChildSiege> = {
  sent: '200 connections where 120 files may be open',
  open: () => besiegeChild({ maxFiles: 120 }),
  play: async (scene) => {
    using existing = await scene.open();
    const bytes = `${scene.head('GET', scene.path).join('\r\n')}\r\n\r\n`;
    existing.send(bytes);
    await scene.take(existing);
    const held = await exhaust(scene.siege.gateway.authority, 200);
    if (held.some(({ isOpen }) => !isOpen)) scene.found.add('refused');
    existing.send(bytes);
    await scene.take(existing);
    for (const each of held) each[Symbol.dispose]();
    await sleep(200);
    await scene.call('GET', scene.path);
  },
  expected: served('200, 200, 200', 'GET', 'request.outcome, request.cache_hit'),
  besides: { 'new ones are turned away': ({ found }) => found.has('refused') },
};

const tooMany: Case<ChildSiege> = {
  sent: '60 connections where 20 may be',
  open: () => besiegeChild({ config: { listen: { port: 0, maxConnections: 20 } } }),
  play: async (scene) => {
    using existing = await scene.open();
    const bytes = `${scene.head('GET', scene.path).join('\r\n')}\r\n\r\n`;
    existing.send(bytes);
    await scene.take(existing);
    const held = await exhaust(scene.siege.gateway.authority, 60);
    if (held.filter(({ isOpen }) => !isOpen).length > 30) scene.found.add('refused');
    existing.send(bytes);
    await scene.take(existing);
    for (const each of held) each[Symbol.dispose]();
    const told = await scene.siege.end();
    if (told.some(({ event }) => event === 'proto.dropped')) scene.found.add('told');
  },
  expected: served('200, 200', 'GET', 'request.outcome, request.cache_hit'),
  besides: {
    'new ones are turned away': ({ found }) => found.has('refused'),
    'the trail counts them': ({ found }) => found.has('told'),
  },
};

export const ownProcess: Stage<ChildSiege> = {
  title: 'as a process of its own',
  open: () => besiegeChild({}),
  rows: [
    { row: 115, situation: 'an exception that nobody catches', cases: [faulty] },
    { row: 116, situation: 'no descriptors, no connections left', cases: [withoutDescriptors, tooMany] },
  ],
};
