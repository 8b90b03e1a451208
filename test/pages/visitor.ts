/** Somebody at Redis who is no gateway, for the tests of what loads keep there. */
import { once } from 'node:events';

import { Redis } from 'ioredis';

export async function visit(url: string) {
  const client = new Redis(url);
  await once(client, 'ready');
  /** Where loads stand. */
  const places = async (): Promise<string[]> =>
    (await client.keys('gl1:*')).filter((key) => !key.includes('probe'));
  return { client, places, [Symbol.dispose]: () => client.disconnect() };
}
