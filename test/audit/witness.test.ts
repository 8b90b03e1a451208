/** The witness, through HTTP, and a trail that uses it: what was cosigned can never be gone back on. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';

import { hashLeaf, MerkleTree } from '../../src/audit/chain.ts';
import { CompactRange, proveConsistency } from '../../src/audit/consistency.ts';
import {
  checkpointText,
  encodeKey,
  parseCheckpoint,
  plainType,
  signNote,
  type NoteKey,
} from '../../src/audit/note.ts';
import { publishedKeysFile } from '../../src/audit/published-keys.ts';
import { SigningKey } from '../../src/audit/signing-key.ts';
import { verifyTrail } from '../../src/audit/verify.ts';
import { witnessedFile } from '../../src/audit/witness-client.ts';
import { openWitness, serve } from '../../src/cli/witness.ts';
import { instance, openTrail, readRecords, temporaryDirectory, type OpenedTrail } from './support.ts';

class RunningWitness implements AsyncDisposable {
  readonly directory: string;
  readonly key: NoteKey;
  readonly url: string;
  readonly #server: Server;

  private constructor(directory: string, key: NoteKey, server: Server) {
    this.directory = directory;
    this.key = key;
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(directory?: string): Promise<RunningWitness> {
    const place = directory ?? (await temporaryDirectory());
    const witness = await openWitness(place, 'witness.example/w1');
    const server = serve(witness).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new RunningWitness(place, witness.verifier, server);
  }

  async add(body: string): Promise<{ status: number; type: string | null; text: string }> {
    const response = await fetch(`${this.url}/add-checkpoint`, { method: 'POST', body });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  }

  async latest(origin: string): Promise<string> {
    return (await fetch(`${this.url}/${origin}/checkpoint`)).text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

const log = SigningKey.from(Buffer.alloc(32, 9));
const origin = 'gatehouse/audit/test';

function treeOf(size: number, change = ''): MerkleTree {
  const tree = new MerkleTree();
  for (let n = 0; n < size; n += 1) tree.add(hashLeaf(Buffer.from(`${n}${n === 1 ? change : ''}`)));
  return tree;
}

function noteOf(tree: MerkleTree, { key = log, name = origin } = {}): string {
  const text = checkpointText(name, tree.size, tree.root());
  return `${text}\n${signNote(text, name, key)}`;
}

function submission(from: number, to: number, note = noteOf(treeOf(to))): string {
  const range = new CompactRange(from);
  for (let n = from; n < to; n += 1) range.add(hashLeaf(Buffer.from(String(n))));
  const proof = proveConsistency(treeOf(from), range);
  return `old ${from}\n${proof.map((hash) => `${Buffer.from(hash, 'hex').toString('base64')}\n`).join('')}\n${note}`;
}

async function startKnowing(): Promise<RunningWitness> {
  const witness = await RunningWitness.start();
  const key = encodeKey({ name: origin, type: plainType, publicKey: log.publicKey });
  await writeFile(join(witness.directory, 'logs', 'test.pub'), `${key}\n`);
  return witness;
}

test('a log that only grows is cosigned each time, and the last checkpoint can be fetched', async () => {
  await using witness = await startKnowing();
  for (const [from, to] of [
    [0, 3],
    [3, 3],
    [3, 8],
    [8, 21],
  ] as const)
    assert.equal((await witness.add(submission(from, to))).status, 200);
  const latest = parseCheckpoint(await witness.latest(origin));
  assert.deepEqual([latest?.size, latest?.signatures.length], [21, 2]);
});

test('what does not follow from the last cosigned checkpoint is refused as C2SP says', async () => {
  await using witness = await startKnowing();
  assert.equal((await witness.add(submission(0, 7))).status, 200);
  const forged = noteOf(treeOf(9, 'changed'));
  const cases: readonly (readonly [number, string])[] = [
    [400, 'nonsense'],
    [400, `old 07\n\n${noteOf(treeOf(9))}`],
    [400, submission(7, 9).replace('old 7', 'old 10')],
    [404, `old 0\n\n${noteOf(treeOf(9), { name: 'gatehouse/audit/other' })}`],
    [403, `old 7\n\n${noteOf(treeOf(9), { key: SigningKey.create() })}`],
    [409, submission(0, 9)],
    [409, submission(6, 9)],
    [409, `old 7\n\n${noteOf(treeOf(7, 'changed'))}`],
    [409, `old 3\n\n${noteOf(treeOf(3))}`],
    [422, `old 7\n\n${noteOf(treeOf(9))}`],
    [422, submission(7, 9, forged)],
  ];
  for (const [status, body] of cases) assert.equal((await witness.add(body)).status, status, body);
  const { type, text } = await witness.add(submission(0, 9));
  assert.deepEqual([type, text], ['text/x.tlog.size', '7\n']);
  assert.equal((await witness.add(submission(7, 9))).status, 200);
});

test('of many that come at once from one size a single one is taken', async () => {
  await using witness = await startKnowing();
  const sizes = [5, 6, 7, 8, 9];
  const answers = await Promise.all(sizes.map((size) => witness.add(submission(0, size))));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
  assert.equal(answers.filter(({ status }) => status === 409).length, 4);
});

test('a witness that starts anew remembers what it has cosigned, and refuses to serve a memory that was changed', async () => {
  const first = await startKnowing();
  await first.add(submission(0, 7));
  await first[Symbol.asyncDispose]();
  await using second = await RunningWitness.start(first.directory);
  assert.equal(second.key.publicKey, first.key.publicKey);
  assert.equal((await second.add(submission(0, 9))).status, 409);
  const state = (await readdir(second.directory)).find((file) => file.startsWith('checkpoint-')) ?? '';
  const path = join(second.directory, state);
  await writeFile(path, (await readFile(path, 'utf8')).replace('\n7\n', '\n6\n'));
  assert.equal((await second.add(submission(6, 9))).status, 500);
});

const quick = { checkpointMs: 20 };

async function trailWith(witness: RunningWitness, directory?: string): Promise<OpenedTrail> {
  const opened = await openTrail({
    ...(directory && { directory }),
    limits: quick,
    witness: { url: witness.url, key: witness.key },
  });
  await copyFile(
    join(opened.directory, instance, publishedKeysFile),
    join(witness.directory, 'logs', 'gw-1.pub'),
  );
  return opened;
}

async function untilWitnessed(directory: string, size: number): Promise<string> {
  for (let waited = 0; waited < 20_000; waited += 20) {
    const note = await readFile(join(directory, instance, witnessedFile), 'utf8').catch(() => '');
    if ((parseCheckpoint(note)?.size ?? 0) >= size) return note;
    await pause(20);
  }
  throw new Error(`the witness has not seen line ${size}`);
}

test('a trail that is witnessed over restarts and rotations is proven by what the witness keeps', async () => {
  await using witness = await RunningWitness.start();
  await using opened = await trailWith(witness);
  // The first checkpoint came before the witness knew the log.
  await opened.restart();
  for (let n = 0; n < 30; n += 1) await opened.trail.note('n');
  const note = await untilWitnessed(opened.directory, 30);
  await opened.restart();
  for (let n = 0; n < 5; n += 1) await opened.trail.note('n');
  await opened.trail[Symbol.asyncDispose]();

  const last = await witness.latest(parseCheckpoint(note)?.origin ?? '');
  const { verdict, instances } = await verifyTrail(opened.directory, {
    checkpoints: [last],
    witnesses: [witness.key],
  });
  assert.deepEqual([verdict, instances[0]?.checkpointed], ['ok', instances[0]?.lastSeq]);
  assert.ok(Date.parse(instances[0]?.witnessedAt ?? '') > 0);
});

test('a checkpoint without the cosignature of the witness does not suffice where one is asked for', async () => {
  await using witness = await startKnowing();
  await using opened = await openTrail();
  await opened.trail[Symbol.asyncDispose]();
  const own = await readFile(join(opened.directory, instance, 'checkpoint'), 'utf8');
  const trust = { checkpoints: [own], witnesses: [witness.key] };
  assert.equal((await verifyTrail(opened.directory, trust)).verdict, 'incomplete');
});

test('a trail that was put back to an earlier state is refused by the witness, and found by its checkpoint', async () => {
  await using witness = await RunningWitness.start();
  const opened = await trailWith(witness);
  await opened.restart();
  await opened.trail.note('n');
  await opened.trail[Symbol.asyncDispose]();
  const backup = await temporaryDirectory();
  await cp(opened.directory, backup, { recursive: true });
  await opened.restart();
  for (let n = 0; n < 40; n += 1) await opened.trail.note('n');
  const seen = await untilWitnessed(opened.directory, 40);
  await opened[Symbol.asyncDispose]();

  await using back = await trailWith(witness, backup);
  for (let waited = 0; ; waited += 20) {
    const records = await readRecords(backup);
    if (records.some(({ event }) => event === 'audit.witness_refused')) break;
    assert.ok(waited < 20_000, 'the refusal is not recorded');
    await pause(20);
  }
  await back.trail[Symbol.asyncDispose]();
  const { verdict } = await verifyTrail(backup, { checkpoints: [seen] });
  assert.equal(verdict, 'truncated');
});

for (const [status, body, event] of [
  [422, 'The proof does not show that only lines were added.\n', 'audit.witness_refused'],
  [409, '4711\n', 'audit.witness_refused'],
  [403, 'Forbidden\n', 'audit.witness_lost'],
  [404, 'This log is not known here.\n', 'audit.witness_lost'],
  [502, 'Bad gateway\n', 'audit.witness_lost'],
] as const)
  test(`a witness that answers ${status} is recorded as ${event}, once`, async () => {
    await using server = createServer((_request, response) => response.writeHead(status).end(body));
    server.keepAliveTimeout = 1;
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const key: NoteKey = { name: 'w', type: 4, publicKey: log.publicKey };
    await using opened = await openTrail({ limits: quick, witness: { url, key } });
    const told = async () =>
      (await readRecords(opened.directory)).filter(({ event: name }) => name.startsWith('audit.witness'));
    for (let waited = 0; (await told()).length === 0; waited += 20) {
      assert.ok(waited < 20_000, 'nothing is recorded');
      await opened.trail.note('n');
      await pause(20);
    }
    assert.deepEqual(
      (await told()).map(({ event: name }) => name),
      [event],
    );
  });

test('a witness that never answers delays no record, and the end only for a moment', async () => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  const key: NoteKey = { name: 'w', type: 4, publicKey: log.publicKey };
  const opened = await openTrail({ limits: quick, witness: { url, key } });
  for (let n = 0; n < 50; n += 1) {
    const before = performance.now();
    await opened.trail.note('n');
    assert.ok(performance.now() - before < 2000);
    await pause(2);
  }
  const before = performance.now();
  await opened.trail[Symbol.asyncDispose]();
  assert.ok(performance.now() - before < 8000);
  assert.equal((await verifyTrail(opened.directory)).verdict, 'ok');
  await rm(opened.directory, { recursive: true });
  silent.closeAllConnections();
  silent.close();
});
