/** A port that nobody has, for a program that cannot choose one itself and say which. */
import { once } from 'node:events';
import { createServer } from 'node:net';

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  await probe[Symbol.asyncDispose]();
  return typeof address === 'object' && address ? address.port : 0;
}
