/** The format's document against the code: its vectors, and the published ones of RFC 6962 trees. */
import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { genesis, hashLine, MerkleTree } from '../../src/audit/chain.ts';
import { draft, encodeLine, readLine } from '../../src/audit/line.ts';
import { cosignatureType, encodeKey, parseCheckpoint, verifyNote } from '../../src/audit/note.ts';
import { parseKeys } from '../../src/audit/published-keys.ts';
import { Redactor } from '../../src/audit/redact.ts';
import { fileOf, parseFileName } from '../../src/audit/segment-name.ts';
import { footerEvent } from '../../src/audit/segment-shape.ts';
import { verifyTrail } from '../../src/audit/verify.ts';
import { instance, temporaryDirectory } from './support.ts';

const document = await readFile(join(import.meta.dirname, '../../docs/audit-format.md'), 'utf8');
const segment = /```jsonl\n([^`]*)```/.exec(document)?.[1] ?? '';
const lines = segment.trimEnd().split('\n');

test("the document's lines have the leaves and heads that it names", () => {
  const rows = document.matchAll(/^\| (\d+) \| `([0-9a-f]{64})` \| `([0-9a-f]{64})` \|$/gm);
  const told = rows.map(([, seq, leaf, head]) => ({ seq: Number(seq), leaf, head })).toArray();
  let head = genesis;
  const computed = lines.map((line, at) => {
    const hashes = hashLine(head, Buffer.from(line));
    head = hashes.head;
    return { seq: at + 1, leaf: hashes.leaf, head };
  });
  assert.equal(lines.length, 4);
  assert.deepEqual(computed, told);
});

test("the document's root is that of the lines before the footer", () => {
  const tree = new MerkleTree();
  for (const line of lines.slice(0, 3)) tree.add(hashLine(genesis, Buffer.from(line)).leaf);
  assert.equal(tree.root(), /^Root of lines 1 to 3: `([0-9a-f]{64})`$/m.exec(document)?.[1]);
  assert.equal(readLine(Buffer.from(lines[3] ?? ''))?.event, footerEvent);
});

test("the document's segment verifies as a trail", async () => {
  const directory = await temporaryDirectory();
  const name = { chain: '00112233445566778899aabbccddeeff', number: 1, firstSeq: 1 };
  await mkdir(join(directory, instance));
  await writeFile(join(directory, instance, fileOf(name)), segment);
  const { verdict, instances } = await verifyTrail(directory);
  assert.deepEqual([verdict, instances[0]?.findings], ['ok', []]);
  await rm(directory, { recursive: true });
});

const notes = [...document.matchAll(/```text\n([^`]*)```/g)].map(([, text = '']) => text);

test("the document's checkpoint and keys prove its segment, and the witness's cosignature is right", async () => {
  const directory = await temporaryDirectory();
  const name = { chain: '00112233445566778899aabbccddeeff', number: 1, firstSeq: 1 };
  await mkdir(join(directory, instance));
  await writeFile(join(directory, instance, fileOf(name)), segment);
  const checkpoint = notes.find((text) => text.includes('\n4\n')) ?? '';
  const keys = parseKeys(notes.find((text) => text.includes('/root+')) ?? '');
  const told = /`(sha256:[0-9a-f]{64})`/.exec(document)?.[1] ?? '';
  const { instances } = await verifyTrail(directory, {
    checkpoints: [checkpoint],
    rootKeys: keys,
    fingerprints: [told],
    witnesses: keys.filter(({ type }) => type === cosignatureType),
  });
  assert.deepEqual(
    instances.map(({ verdict, checkpointed, rootKey, witnessedAt }) => ({
      verdict,
      checkpointed,
      rootKey,
      witnessedAt,
    })),
    [{ verdict: 'ok', checkpointed: 4, rootKey: told, witnessedAt: '2026-11-21T08:00:05.000Z' }],
  );
  const [, log] = keys;
  const parsed = parseCheckpoint(checkpoint);
  assert.ok(log && parsed && verifyNote(parsed, log));
  await rm(directory, { recursive: true });
});

test("the document's keys are written as they are read", () => {
  const words = (notes.find((text) => text.includes('/root+')) ?? '').trim().split('\n');
  assert.deepEqual(parseKeys(words.join('\n')).map(encodeKey), words);
  assert.deepEqual(parseKeys(words.join('\n').replaceAll(/\+[0-9a-f]{8}\+/g, '+00000000+')), []);
});

test("the document's pseudonyms are those that we make", () => {
  const [, id, value] = /`4711` is `([^`]+)`, `value` `Ärger@Example.com` is `([^`]+)`/.exec(document) ?? [];
  const redactor = new Redactor({ period: '2026q4', secret: Buffer.alloc(32, 1) });
  assert.equal(redactor.pseudonym('id', '4711'), id);
  assert.equal(redactor.pseudonym('value', 'ärger@example.COM'), value);
});

test('trees of one to eight leaves have the roots that Certificate Transparency publishes', () => {
  const leaves = [
    '',
    '00',
    '10',
    '2021',
    '3031',
    '40414243',
    '5051525354555657',
    '606162636465666768696a6b6c6d6e6f',
  ];
  const roots = [
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
    'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
    'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
    '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
    'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
    '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
  ];
  const tree = new MerkleTree();
  assert.equal(tree.root(), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  for (const [at, leaf] of leaves.entries()) {
    tree.add(hashLine(genesis, Buffer.from(leaf, 'hex')).leaf);
    assert.equal(tree.root(), roots[at], `${at + 1} leaves`);
  }
});

test('a line carries whatever a record holds, in one line', () => {
  const text = '\u0000\r\n"\\\u2028\u{1F600}\uD800 ä';
  const line = encodeLine(7, genesis, draft('n', { text })).subarray(0, -1);
  assert.ok(!line.includes(0x0a));
  assert.equal(readLine(line)?.seq, 7);
  assert.deepEqual(JSON.parse(line.toString()).text, text);
});

test('a file name says which segment it is, and no other name is one', () => {
  const name = { chain: 'ab'.repeat(16), number: 12, firstSeq: 3456 };
  assert.deepEqual(parseFileName(fileOf(name)), name);
  for (const other of ['audit-x.jsonl', `${fileOf(name)}.torn`, `x${fileOf(name)}`])
    assert.equal(parseFileName(other), undefined);
});
