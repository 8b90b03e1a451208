/**
 * Scans the segments of a chain, several at a time where there are processors: a header says from which head and
 * which peaks its segment goes on, so each can be read alone. Whether they fit each other is for the caller to judge.
 */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

import { post } from '../thread.ts';
import { MerkleTree } from './chain.ts';
import { scanSegment, type Scan, type ScanOptions } from './scan.ts';
import type { SegmentName } from './segment-name.ts';
import type { Position } from './segment.ts';

export interface ScanJob {
  readonly path: string;
  readonly name: SegmentName;
  readonly options: Omit<ScanOptions, 'onLine'>;
}

interface PackedTree {
  readonly size: number;
  readonly peaks: readonly string[];
}

export interface Packed extends Omit<Scan, 'end'> {
  readonly end: Omit<Position, 'tree' | 'chainTree'>;
  readonly tree: PackedTree;
  readonly chainTree: PackedTree;
}

/** Starting a thread costs about as much as reading this. */
const worthAThread = 16 * 1024 * 1024;
const mostThreads = 8;

/** Tells the scans in the order of the jobs. */
export async function* scanAll(jobs: readonly ScanJob[], bytes: number): AsyncGenerator<Scan> {
  const threads = Math.min(availableParallelism(), jobs.length, mostThreads, Math.ceil(bytes / worthAThread));
  if (threads < 2) {
    for (const { path, name, options } of jobs) yield await scanSegment(path, name, options);
    return;
  }
  const results = jobs.map(() => Promise.withResolvers<Scan>());
  // Whoever stops reading early leaves promises that nobody waits for.
  for (const { promise } of results) promise.catch(() => undefined);
  const waiting = jobs.entries();
  const workers = Array.from(
    { length: threads },
    () => new Worker(new URL('scan-worker.ts', import.meta.url)),
  );
  try {
    for (const worker of workers) drive(worker, waiting, results);
    for (const { promise } of results) yield await promise;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

export type Answer = { readonly scan: Packed } | { readonly error: unknown };

function drive(
  worker: Worker,
  waiting: ArrayIterator<[number, ScanJob]>,
  results: readonly PromiseWithResolvers<Scan>[],
): void {
  let current: PromiseWithResolvers<Scan> | undefined;
  const next = (): void => {
    const { value } = waiting.next();
    current = value && results[value[0]];
    if (value) post(worker, value[1]);
  };
  worker.on('message', (message: Answer) => {
    if ('scan' in message) current?.resolve(unpack(message.scan));
    else current?.reject(message.error);
    next();
  });
  worker.on('error', (error) => current?.reject(error));
  next();
}

function unpack({ end, tree, chainTree, ...scan }: Packed): Scan {
  return { ...scan, end: { ...end, tree: treeOf(tree), chainTree: treeOf(chainTree) } };
}

function treeOf({ size, peaks }: PackedTree): MerkleTree {
  return MerkleTree.from(size, peaks) ?? new MerkleTree();
}
