/** What the gateway asks for ahead of a caller also goes up where replicas draw on one quota, as long as nobody waits. */
import { test } from 'node:test';

import { Secret } from '../../src/gateway/secret.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startRedis } from '../support/redis.ts';

async function readOn(gateway: TestGateway, startIndex: number): Promise<number> {
  const answer = await gateway.call('GET', `/Users?startIndex=${startIndex}&count=25`);
  const page = (await answer.json()) as { readonly itemsPerPage: number };
  return startIndex + page.itemsPerPage;
}

test('a load that goes on in order gets its next block ahead, with two replicas on one quota', async () => {
  await using redis = await startRedis();
  const pace = { perMinute: 3000, burst: 300, tenantLimit: 4000, minute: '10s' };
  await using gateway = await startGateway({
    config: {
      replicas: 2,
      cache: { store: 'redis', redis: { url: new Secret(redis.url), budget: '1s' } },
    },
    tenant: { embedded: { port: 0, users: 600, groups: 1 }, pace },
    system: { pages: { blocks: 'on' } },
  });
  const purposes = async (): Promise<(string | undefined)[]> =>
    (await gateway.records()).map(
      ({ event, upstream }) =>
        (event === 'upstream.intent' && (upstream as { readonly purpose?: string }).purpose) || undefined,
    );
  let next = 1;
  await eventually(async () => {
    next = await readOn(gateway, next > 500 ? 1 : next);
    return (await purposes()).includes('prefetch');
  }, 30_000);
});
