/**
 * Forgeries by somebody who can compute checksums and hashes, but leaves something that does not fit: each rule of
 * docs/audit-format.md that no checksum covers.
 */
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { genesis, hashLine, MerkleTree } from '../../src/audit/chain.ts';
import { realFiles } from '../../src/audit/files.ts';
import { deriveSecret, KeyStore } from '../../src/audit/key-store.ts';
import { encodeLine } from '../../src/audit/line.ts';
import type { SegmentKeys } from '../../src/audit/segment.ts';
import { SigningKey } from '../../src/audit/signing-key.ts';
import { verifyTrail } from '../../src/audit/verify.ts';
import { instance, openTrail, segmentPaths, type OpenedTrail } from './support.ts';

type Line = Record<string, unknown> & { readonly event: string; readonly ts: string; readonly mono: number };

/**
 * Writes the lines anew from the first on: numbers, hashes, checksums and signatures are right, the footer as far as
 * `edit` lets it.
 */
function forge(
  lines: readonly Line[],
  { own, signer }: SegmentKeys,
  editFooter: (facts: Record<string, unknown>) => object,
): Buffer {
  const tree = new MerkleTree();
  let head = typeof lines[0]?.['prev'] === 'string' ? lines[0]['prev'] : genesis;
  let seq = Number(lines[0]?.['seq']) - 1;
  const bytes = lines.map((line) => {
    const { v: _v, seq: _seq, prev: _prev, sig: _sig, crc: _crc, ts, mono, event, ...members } = line;
    const footer = { ...members, count: tree.size, root: tree.root(), head };
    const body = JSON.stringify(event === 'audit.segment_closed' ? editFooter(footer) : members);
    const key = { 'audit.segment_opened': signer, 'audit.segment_closed': own }[event];
    const encoded = encodeLine((seq += 1), head, { ts, mono, event, body }, key);
    const hashes = hashLine(head, encoded.subarray(0, -1));
    tree.add(hashes.leaf);
    head = hashes.head;
    return encoded;
  });
  return Buffer.concat(bytes);
}

/** What a thief finds who reads the gateway's memory and files while this segment is written. */
async function steal({ directory }: OpenedTrail, segment: number): Promise<SigningKey> {
  const secret = deriveSecret(Buffer.alloc(32, 7), 'signing keys');
  const key = await new KeyStore(realFiles, join(directory, instance), secret).read(segment);
  assert.ok(key);
  return key;
}

interface Forgery {
  readonly lines?: (lines: readonly Line[]) => readonly Line[];
  readonly footer?: (facts: Record<string, unknown>) => object;
  readonly reason: RegExp;
}

function withPrevious(change: object): (lines: readonly Line[]) => Line[] {
  return ([header, ...rest]) => {
    assert.ok(header && typeof header['previous'] === 'object');
    return [{ ...header, previous: { ...header['previous'], ...change } }, ...rest];
  };
}

function withHeader(change: object): (lines: readonly Line[]) => Line[] {
  return ([header, ...rest]) => (header ? [{ ...header, ...change }, ...rest] : rest);
}

const other = 'ab'.repeat(32);
const forgeries: Record<string, Forgery> = {
  'a footer with another count': { footer: (f) => ({ ...f, count: 99 }), reason: /footer does not fit/ },
  'a footer with another root': { footer: (f) => ({ ...f, root: other }), reason: /footer does not fit/ },
  'a footer with another head': { footer: (f) => ({ ...f, head: other }), reason: /footer does not fit/ },
  'a footer with another time': {
    footer: (f) => ({ ...f, lastTs: '2026-01-01T00:00:00.000Z' }),
    reason: /footer does not fit/,
  },
  'a footer without a root': { footer: (f) => ({ ...f, root: undefined }), reason: /footer is not complete/ },
  'a line behind the footer': {
    lines: (lines) => [...lines, ...lines.slice(1, 2)],
    reason: /A line follows the footer/,
  },
  'a second header': {
    lines: ([header, ...rest]) => [header, header, ...rest].filter((l) => !!l),
    reason: /second header/,
  },
  'no header': {
    lines: ([header, ...rest]) => (header ? [{ ...header, event: 'n' }, ...rest] : rest),
    reason: /first line is not a header/,
  },
  'a header of another chain': {
    lines: ([header, ...rest]) => (header ? [{ ...header, chain: 'f'.repeat(32) }, ...rest] : rest),
    reason: /header does not belong/,
  },
  'another root of its predecessor': { lines: withPrevious({ root: other }), reason: /predecessor \(root\)/ },
  'another length of its predecessor': { lines: withPrevious({ bytes: 7 }), reason: /predecessor \(bytes\)/ },
  'another end of its predecessor': { lines: withPrevious({ seq: 7 }), reason: /predecessor \(seq\)/ },
  'another tree before it': { lines: withHeader({ peaks: [other] }), reason: /wrong about the tree/ },
  'another number of peaks': {
    lines: withHeader({ peaks: [other, other] }),
    reason: /peaks of a tree of this size/,
  },
  'another key for its own': {
    lines: withHeader({ key: SigningKey.create().publicKey }),
    reason: /not signed by the segment's key/,
  },
  'another signer than the key before it': {
    lines: withHeader({ signer: SigningKey.create().publicKey }),
    reason: /not signed by the key that it names/,
  },
  'a predecessor without a footer': {
    lines: withPrevious({ closed: false }),
    reason: /predecessor \(closed\)/,
  },
};

for (const [what, forgery] of Object.entries(forgeries)) {
  const {
    lines = (all: readonly Line[]) => all,
    footer = (facts: Record<string, unknown>) => facts,
    reason,
  } = forgery;
  test(`${what} in a segment whose hashes are right is found`, async () => {
    await using opened = await openTrail();
    const signer = await steal(opened, 1);
    await opened.restart();
    await opened.trail.note('n');
    const own = await steal(opened, 2);
    await opened.trail[Symbol.asyncDispose]();
    const [, path = ''] = await segmentPaths(opened.directory);
    const text = await readFile(path, 'utf8');
    const written = text
      .trimEnd()
      .split('\n')
      .map((line): Line => JSON.parse(line));
    await rm(path);
    await writeFile(path, forge(lines(written), { own, signer }, footer));

    const { verdict, instances } = await verifyTrail(opened.directory);
    assert.equal(verdict, 'tampered');
    assert.match(instances[0]?.findings.map((finding) => finding.reason).join(' ') ?? '', reason);
  });
}

test('a segment that is written anew with nothing changed passes, so the forgeries above are found for their own reason', async () => {
  await using opened = await openTrail();
  const signer = await steal(opened, 1);
  await opened.restart();
  const own = await steal(opened, 2);
  await opened.trail[Symbol.asyncDispose]();
  const [, path = ''] = await segmentPaths(opened.directory);
  const bytes = await readFile(path);
  const written = bytes
    .toString()
    .trimEnd()
    .split('\n')
    .map((line): Line => JSON.parse(line));
  assert.deepEqual(
    forge(written, { own, signer }, (facts) => facts),
    bytes,
  );
});

test('a trail that goes on behind a segment which ended as rotated is missing its end', async () => {
  await using opened = await openTrail({ limits: { segmentBytes: 1000 } });
  for (let n = 0; n < 8; n += 1) await opened.trail.note('n');
  await opened.trail[Symbol.asyncDispose]();
  const paths = await segmentPaths(opened.directory);
  assert.ok(paths.length > 1);
  await rm(paths.at(-1) ?? '');
  const { verdict, instances } = await verifyTrail(opened.directory);
  assert.equal(verdict, 'truncated');
  assert.match(instances[0]?.findings[0]?.reason ?? '', /ended as rotated/);
});

function linesOf(text: string): Line[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line): Line => JSON.parse(line));
}

const thefts: Record<string, { readonly lie: boolean; readonly reason: RegExp }> = {
  'with the key that its header names': { lie: false, reason: /not signed by/ },
  'with a header that names the stolen key': {
    lie: true,
    reason: /not signed by the key of the segment before it/,
  },
};

for (const [how, { lie, reason }] of Object.entries(thefts)) {
  test(`who steals the key of the segment that is written now cannot write an earlier one anew ${how}`, async () => {
    await using opened = await openTrail();
    await opened.restart();
    await opened.trail.note('n');
    await opened.restart();
    const stolen = await steal(opened, 3);
    await opened.trail[Symbol.asyncDispose]();
    const keys = { own: stolen, signer: stolen };
    const named = lie ? { key: stolen.publicKey, signer: stolen.publicKey } : {};
    for (const path of (await segmentPaths(opened.directory)).slice(1)) {
      const [header, ...rest] = linesOf(await readFile(path, 'utf8'));
      assert.ok(header);
      const changed = rest.map((line) => (line.event === 'n' ? { ...line, event: 'm' } : line));
      await rm(path);
      await writeFile(
        path,
        forge([{ ...header, ...named }, ...changed], keys, (facts) => facts),
      );
    }
    const { verdict, instances } = await verifyTrail(opened.directory);
    assert.equal(verdict, 'tampered');
    assert.match(instances[0]?.findings[0]?.reason ?? '', reason);
  });
}
