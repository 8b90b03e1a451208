/**
 * The tenant of quota-replicas.test.ts, in a thread of its own: with the gateways' event loop it would see calls together
 * that left one after the other. It tells its address, and then each arrival with what became of it.
 */
import { parentPort, workerData } from 'node:worker_threads';

import { Limiter, proxyLimits } from '../../src/ips/limiter.ts';
import { post } from '../../src/thread.ts';
import { sendScim, startUpstream } from '../support/upstream.ts';

export interface Arrival {
  /** Milliseconds since 1970, by the monotonic clock. */
  readonly at: number;
  readonly refused: boolean;
}

const { minuteMs }: { minuteMs: number } = workerData;
const limiter = new Limiter({ ...proxyLimits, minuteMs, delayMs: minuteMs / 60 });

const upstream = await startUpstream({
  remembers: false,
  answer: ({ url }, response) => {
    const at = performance.timeOrigin + performance.now();
    const admission = limiter.admit();
    tell({ at, refused: !admission.admitted });
    const resource = { schemas: [], id: url.split('/').at(-1) };
    if (!admission.admitted) sendScim(response, 429, resource);
    else setTimeout(() => sendScim(response, 200, resource), admission.delayMs);
  },
});
tell(upstream.url);

function tell(message: string | Arrival): void {
  post(parentPort, message);
}
