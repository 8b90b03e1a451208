/** Proofs of single records: whoever has the public key needs nothing else, and nothing of a proof can be changed. */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { checkpointFile } from '../../src/audit/checkpoints.ts';
import { cosignatureType, cosignNote, plainType, type NoteKey } from '../../src/audit/note.ts';
import {
  checkRecord,
  NotProvable,
  parseProof,
  proofText,
  Prover,
  type ProvenRecord,
} from '../../src/audit/proof.ts';
import { parseKeys } from '../../src/audit/published-keys.ts';
import { openChains, type Chain } from '../../src/audit/read.ts';
import { SigningKey } from '../../src/audit/signing-key.ts';
import { instance, openTrail, readRecords, segmentPaths, type OpenedTrail } from './support.ts';

/** Of several segments, over a restart. */
async function aTrail(): Promise<OpenedTrail> {
  const opened = await openTrail({ limits: { segmentBytes: 1500 } });
  for (let at = 0; at < 12; at += 1) await opened.trail.note('n', { at, text: 'x'.repeat(200) });
  await opened.restart();
  for (let at = 0; at < 12; at += 1) await opened.trail.note('m', { at });
  await opened.trail[Symbol.asyncDispose]();
  return opened;
}

async function chainOf({ directory }: OpenedTrail): Promise<Chain> {
  const [chain] = await openChains([directory]);
  assert.ok(chain);
  return chain;
}

async function keysOf({ directory }: OpenedTrail): Promise<NoteKey[]> {
  return parseKeys(await readFile(join(directory, instance, 'keys.pub'), 'utf8'));
}

function problemOf(record: ProvenRecord, keys: readonly NoteKey[]): string | undefined {
  return checkRecord(record, keys, []).problem;
}

test('every record of a trail of several segments can be proven with the public key alone', async () => {
  await using opened = await aTrail();
  const prover = new Prover(await chainOf(opened), []);
  const keys = await keysOf(opened);
  const records = await readRecords(opened.directory);
  assert.ok((await segmentPaths(opened.directory)).length > 3);
  for (const { seq, event } of records) {
    const [proven] = parseProof(proofText([await prover.prove(seq)]))?.records ?? [];
    assert.ok(proven);
    const { problem, prefix } = checkRecord(proven, keys, []);
    assert.deepEqual([problem, prefix?.seq, prefix?.event], [undefined, seq, event]);
  }
});

test('the end of a running trail is provable as soon as a checkpoint covers it', async () => {
  await using opened = await openTrail();
  await opened.trail.note('n');
  const chain = await chainOf(opened);
  const seq = 2;
  const until = Date.now() + 20_000;
  for (let proven; !proven;) {
    assert.ok(Date.now() < until);
    proven = await new Prover(chain, []).prove(seq).catch((error: unknown) => {
      assert.ok(error instanceof NotProvable && !error.damaged);
      return undefined;
    });
    if (proven) assert.equal(problemOf(proven, await keysOf(opened)), undefined);
  }
});

test('nothing of a proof can be changed', async () => {
  await using opened = await aTrail();
  const keys = await keysOf(opened);
  const record = await new Prover(await chainOf(opened), []).prove(7);
  assert.equal(problemOf(record, keys), undefined);
  const { line, index, path, checkpoint } = record;
  const changes: readonly Partial<ProvenRecord>[] = [
    { line: line.replace('"event":"n"', '"event":"m"') },
    { index: index + 1 },
    { path: path.slice(1) },
    { path: path.toReversed() },
    {
      path: path.map((digest, at) =>
        at === 0 ? digest.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) : digest,
      ),
    },
    { checkpoint: checkpoint.replace(/\n(\d+)\n/, (_, size: string) => `\n${Number(size) + 1}\n`) },
    { checkpoint: checkpoint.split('\n').slice(0, 4).join('\n') },
    { checkpoint: '' },
  ];
  for (const change of changes)
    assert.notEqual(problemOf({ ...record, ...change }, keys), undefined, JSON.stringify(change));
});

test('a proof is not believed because of the root key, another chain, or a key of the same name', async () => {
  await using opened = await aTrail();
  await using other = await aTrail();
  const record = await new Prover(await chainOf(opened), []).prove(7);
  const [root, log] = await keysOf(opened);
  assert.ok(root && log);
  const stranger: NoteKey = { ...log, publicKey: SigningKey.create().publicKey };
  for (const keys of [[root], await keysOf(other), [stranger], []])
    assert.notEqual(problemOf(record, keys), undefined);
  assert.equal(problemOf(record, [root, log]), undefined);
});

test('a checkpoint from elsewhere makes the proof, with the word of the witness that cosigned it', async () => {
  await using opened = await aTrail();
  const own = await readFile(join(opened.directory, instance, checkpointFile), 'utf8');
  const text = own.slice(0, own.indexOf('\n\n') + 1);
  const key = SigningKey.create();
  const witness: NoteKey = { name: 'witness.example/w1', type: cosignatureType, publicKey: key.publicKey };
  const cosigned = `${own}${cosignNote(text, witness.name, key, 1_795_248_005)}`;
  const record = await new Prover(await chainOf(opened), [cosigned]).prove(3);
  assert.equal(record.checkpoint, cosigned);
  const keys = await keysOf(opened);
  assert.equal(checkRecord(record, keys, [witness]).witnessedAt, '2026-11-21T08:00:05.000Z');
  const stranger: NoteKey = { ...witness, name: 'witness.example/w2' };
  assert.match(checkRecord(record, keys, [stranger]).problem ?? '', /no witness/);
});

test('a trail whose lines are not those of its checkpoint proves nothing', async () => {
  await using opened = await aTrail();
  const [first = ''] = await segmentPaths(opened.directory);
  const content = await readFile(first, 'utf8');
  await rm(first);
  await writeFile(first, content.replace('"at":0', '"at":4'));
  await assert.rejects(
    new Prover(await chainOf(opened), []).prove(2),
    (error) => error instanceof NotProvable && error.damaged,
  );
});

test('a key of a witness does not sign in the place of the log', async () => {
  await using opened = await aTrail();
  const record = await new Prover(await chainOf(opened), []).prove(3);
  const [, log] = await keysOf(opened);
  assert.ok(log && log.type === plainType);
  assert.notEqual(problemOf(record, [{ ...log, type: cosignatureType }]), undefined);
});
