/** Replicas name each other's chains in their trails, so that the directory of one cannot be left out unnoticed. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, cp, mkdir, rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import { publishedKeysFile } from '../../src/audit/published-keys.ts';
import { verifyTrail } from '../../src/audit/verify.ts';
import { openWitness, serve } from '../../src/cli/witness.ts';
import { eventually } from '../support/eventually.ts';
import { openTrail, temporaryDirectory, type OpenedTrail } from './support.ts';

const limits = { checkpointMs: 20 };
const second = resolve(import.meta.dirname, '../../deploy/verify_audit.py');

/** Both verifiers must come to the same. */
async function verdictOf(directories: readonly string[]): Promise<string> {
  const { verdict } = await verifyTrail(directories);
  const { promise, resolve: tell } = Promise.withResolvers<string>();
  execFile('python3', [second, '--local-only', '--json', ...directories], (_error, stdout) => tell(stdout));
  const told: { verdict: string } = JSON.parse(await promise);
  assert.equal(told.verdict, verdict);
  return verdict;
}

async function names(directory: string, instance: string): Promise<readonly string[]> {
  const { instances } = await verifyTrail(join(directory, instance));
  return (instances[0]?.siblings ?? []).map(({ origin }) => origin);
}

/** Two instances, of which the second has recorded something before the first is there. */
async function openTwo(places: readonly string[], changes: object = {}): Promise<OpenedTrail[]> {
  const opened: OpenedTrail[] = [];
  for (const [at, directory] of places.entries())
    opened.push(await openTrail({ directory, instance: `gw-${at + 1}`, limits, ...changes }));
  return opened;
}

async function close(opened: readonly OpenedTrail[]): Promise<void> {
  for (const { trail } of opened) await trail[Symbol.asyncDispose]();
}

test('a replica whose directory is left out is missed, because the others name it', async () => {
  const directory = await temporaryDirectory();
  const opened = await openTwo([directory, directory]);
  await eventually(async () => (await names(directory, 'gw-2')).length > 0);
  await close(opened);
  assert.equal(await verdictOf([directory]), 'ok');
  assert.equal(await verdictOf([join(directory, 'gw-2')]), 'incomplete');
});

test('a replica whose trail was put back to an earlier end is found by what another says of it', async () => {
  const directory = await temporaryDirectory();
  await close([await openTrail({ directory, instance: 'gw-1', limits })]);
  const earlier = await temporaryDirectory();
  await cp(join(directory, 'gw-1'), earlier, { recursive: true });
  const opened = await openTwo([directory, directory]);
  await eventually(async () => (await names(directory, 'gw-2')).length > 0);
  await close(opened);
  await rm(join(directory, 'gw-1'), { recursive: true });
  await cp(earlier, join(directory, 'gw-1'), { recursive: true });
  assert.equal(await verdictOf([directory]), 'truncated');
});

test('replicas on different hosts learn of each other from their witness', async (t) => {
  const place = await temporaryDirectory();
  const witness = await openWitness(place, 'witness.example/w1');
  const server = serve(witness).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const directories = [await temporaryDirectory(), await temporaryDirectory()];
  const changes = { witness: { url, key: witness.verifier } };
  // The operator gives the witness their keys; what lies in another directory is another installation.
  await close(await openTwo(directories));
  await mkdir(join(place, 'logs', 'ours'));
  for (const [at, directory] of directories.entries())
    await copyFile(
      join(directory, `gw-${at + 1}`, publishedKeysFile),
      join(place, 'logs', 'ours', `gw-${at + 1}.pub`),
    );
  const stranger = await temporaryDirectory();
  await close([await openTrail({ directory: stranger })]);
  await mkdir(join(place, 'logs', 'theirs'));
  await copyFile(join(stranger, 'gw-1', publishedKeysFile), join(place, 'logs', 'theirs', publishedKeysFile));
  await close([await openTrail({ directory: stranger, ...changes })]);
  await close(await openTwo(directories, changes));
  const opened = await openTwo(directories, changes);
  const [first = '', other = ''] = directories;
  await eventually(async () => (await names(other, 'gw-2')).length > 0);
  await close(opened);
  assert.equal(await verdictOf([first, other]), 'ok');
  assert.equal(await verdictOf([other]), 'incomplete');
});
