/** Verifies the trails in a thread of its own, which whoever waits no longer ends. */
import { parentPort, workerData } from 'node:worker_threads';

import { findChains } from '../../audit/chain-files.ts';
import { parseKey } from '../../audit/note.ts';
import { verifyTrail, type VerifyOptions } from '../../audit/verify.ts';
import { lastWitnessed } from '../../audit/witnessed.ts';
import { log } from '../../log.ts';
import { post } from '../../thread.ts';
import { keepVerified, readVerified, withPast } from './verified.ts';
import type { VerifyMessage, VerifyWork } from './verify-jobs.ts';

const { trails, directory, witness, ...work } = workerData as VerifyWork;
// A Buffer does not pass between threads as one.
const key = Buffer.from(work.key);
const everyMs = 250;

const chains = await findChains([trails]);
const segments = chains.flatMap((chain) => chain.segments);
let bytesDone = 0;
let told = 0;
tell({ bytesTotal: segments.reduce((sum, { bytes }) => sum + bytes, 0), bytesDone });
const past = await readVerified(directory, key);
const foreign = Object.keys(past.foreign);
if (foreign.length > 0)
  log.warn('what was verified before was changed, or sealed with another key', { chains: foreign });
const found = await verifyTrail(trails, {
  ...(await witnessed()),
  onBytes(bytes) {
    bytesDone += bytes;
    if (performance.now() - told < everyMs) return;
    told = performance.now();
    tell({ bytesDone });
  },
});
await keepVerified(directory, key, past, found);
tell({ report: withPast(found, past) });

/** Asked before the files are read: what is written meanwhile is longer than a checkpoint says, never shorter. */
async function witnessed(): Promise<Pick<VerifyOptions, 'checkpoints' | 'witnesses'>> {
  const witnessKey = witness && parseKey(witness.publicKey);
  if (!witness || !witnessKey) return {};
  const notes = await Promise.all(chains.map((chain) => lastWitnessed(witness.url, chain)));
  return { checkpoints: notes.filter((note) => note !== undefined), witnesses: [witnessKey] };
}

function tell(message: VerifyMessage): void {
  post(parentPort, message);
}
