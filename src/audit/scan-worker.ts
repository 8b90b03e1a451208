/** Scans segments in a thread of its own; a tree goes over as its size and peaks, because a class cannot. */
import { parentPort } from 'node:worker_threads';

import { post } from '../thread.ts';
import type { Answer, Packed, ScanJob } from './scan-pool.ts';
import { scanSegment, type Scan } from './scan.ts';

parentPort?.on('message', (job: ScanJob) => void answer(job));

async function answer({ path, name, options }: ScanJob): Promise<void> {
  try {
    tell({ scan: pack(await scanSegment(path, name, options)) });
  } catch (error) {
    tell({ error });
  }
}

function tell(message: Answer): void {
  post(parentPort, message);
}

function pack({ end, ...scan }: Scan): Packed {
  const { tree, chainTree, ...position } = end;
  return {
    ...scan,
    end: position,
    tree: { size: tree.size, peaks: tree.peaks },
    chainTree: { size: chainTree.size, peaks: chainTree.peaks },
  };
}
