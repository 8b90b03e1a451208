/** The overview of one of several replicas: what is counted is its own, and what it makes do without stands above. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Secret } from '../../src/gateway/secret.ts';
import { assertAccessible, picture, startDesk, type Desk, type Look } from '../support/browser.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { assertFits } from './fits.ts';

const words = {
  en: {
    own: 'Calls sent by this replica in the last minute',
    shared: 'while the others leave it theirs',
    redis: 'Redis cannot be used',
    part: 'This replica keeps to its part of the pace',
  },
  de: {
    own: 'von diesem Replikat gesendete Aufrufe',
    shared: 'solange die anderen ihm ihren lassen',
    redis: 'Redis ist nicht verfügbar',
    part: 'Dieses Replikat hält sich an seinen Teil des Takts',
  },
} as const;
const looks = [
  { shade: 'light', language: 'en' },
  { shade: 'dark', language: 'de' },
] as const satisfies readonly Look[];

const running = new AsyncDisposableStack();
let redis: RedisServer;
let desk: Desk;
before(async () => {
  redis = running.use(await startRedis());
  const cache = { store: 'redis', redis: { url: new Secret(redis.url), budget: '1s' } } as const;
  desk = running.use(await startDesk({ quiet: true, gateway: { config: { cache, replicas: 2 } } }));
});
after(() => running.disposeAsync());

test('whose calls are counted stands there, and nothing is filled before a call', async () => {
  for (const look of looks) {
    const page = await desk.openAs('operator', '', look);
    const { own, shared } = words[look.language];
    for (const text of [own, shared]) await page.getByText(text).first().waitFor();
    const widths = await page
      .locator('.quota > svg > rect:not(.fill-track)')
      .evaluateAll((bars) => bars.map((bar) => bar.getAttribute('width')));
    assert.deepEqual(widths, ['0%']);
    await picture(page, `replicas-overview-${look.shade}-${look.language}`);
    await assertFits(page);
    await assertAccessible(page);
    await page.context().close();
  }
});

test('without Redis a warning says what that means, and to which part of the pace the replica keeps', async () => {
  await redis.kill();
  for (const look of looks) {
    const page = await desk.openAs('operator', '', look);
    const strip = page.locator('ui5-message-strip[design=Critical]');
    // Whoever asks for something notices.
    while (!(await strip.isVisible())) await (await desk.gateway.call('GET', '/Users?count=1')).arrayBuffer();
    const { redis: away, part } = words[look.language];
    await strip.getByText(away).waitFor();
    await page.getByText(part).waitFor();
    await picture(page, `replicas-without-redis-${look.shade}-${look.language}`);
    await assertFits(page);
    await assertAccessible(page);
    await page.context().close();
  }
});

test('no page asked another server for something or broke its own policy', () => {
  assert.deepEqual(desk.complaints(), []);
});
