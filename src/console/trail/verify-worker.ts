/** Verifies the trails in a thread of its own, which whoever waits no longer ends. */
import { parentPort, workerData } from 'node:worker_threads';

import { openChains } from '../../audit/read.ts';
import { verifyTrail } from '../../audit/verify.ts';
import type { VerifyMessage } from './verify-jobs.ts';

const { trails } = workerData as { readonly trails: string };
const everyMs = 250;

const chains = await openChains([trails]);
let bytesDone = 0;
let told = 0;
tell({ bytesTotal: chains.reduce((sum, { bytes }) => sum + bytes, 0), bytesDone });
const report = await verifyTrail(trails, {
  onBytes(bytes) {
    bytesDone += bytes;
    if (performance.now() - told < everyMs) return;
    told = performance.now();
    tell({ bytesDone });
  },
});
tell({ report });

function tell(message: VerifyMessage): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
  parentPort?.postMessage(message);
}
