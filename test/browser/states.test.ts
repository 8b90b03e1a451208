/** The console when not everything is as usual: names are long, a replica is silent, nobody has called yet, the gateway is away. */
import { after, before, test } from 'node:test';

import type { Page } from 'playwright-core';

import { chainA, writeTrail } from '../audit/written-trail.ts';
import { segmentsOf } from '../console/sample-trail.ts';
import { assertAccessible, picture, startDesk, type Desk, type Look } from '../support/browser.ts';
import { systemId } from '../support/gateway.ts';
import { assertFits } from './fits.ts';

const caller = 'sap-identity-management-of-the-production-landscape-emea-01';
const tenant = 'identity-services-of-the-production-landscape-emea';
const system = 'successfactors-employee-central-of-the-production-landscape-emea';
const looks: readonly Look[] = [
  { shade: 'light', language: 'en' },
  { shade: 'dark', language: 'de' },
];
const pages = ['overview', 'audit', 'parties', 'security'] as const;
const isThere: Readonly<Record<(typeof pages)[number], (page: Page) => Promise<void>>> = {
  overview: (page) => page.locator('.tile').first().waitFor(),
  audit: (page) => page.locator('.grid-body > [role=row]').first().waitFor(),
  parties: (page) => page.locator('table.lines').first().waitFor(),
  security: (page) => page.locator('table.checks').first().waitFor(),
};

const running = new AsyncDisposableStack();
let busy: Desk;
let quiet: Desk;
before(async () => {
  busy = running.use(await startBusyDesk());
  quiet = running.use(await startDesk({ quiet: true }));
  const replica = 'gatehouse-of-the-production-landscape-emea-02';
  await writeTrail(busy.gateway.auditDirectory, replica, chainA, segmentsOf(0, [300]));
});
after(() => running.disposeAsync());

function startBusyDesk(): Promise<Desk> {
  return startDesk({
    gateway: {
      callers: {
        [caller]: {
          permissions: [
            {
              permission: 'Access Proxy System API',
              systems: [system],
              access: ['read', 'write'],
              resourceTypes: ['Users', 'Groups'],
              deniedAttributes: ['x509Certificates', 'preferredLanguage', 'entitlements'],
            },
          ],
          sourceNetworks: ['10.99.0.0/24', '2001:db8:85a3:8d3:1319:8a2e:370:7344/128'],
        },
      },
      config: {
        tenants: { [tenant]: { embedded: { port: 0, users: 60, groups: 5 } } },
        systems: {
          [systemId]: { tenant },
          [system]: {
            tenant,
            name: 'SuccessFactors Employee Central of the production landscape (EMEA, second generation)',
            snapshot: { enabled: true },
          },
        },
        alerts: {
          channels: {
            'security-operations-centre-of-the-production-landscape': {
              type: 'smtp',
              host: '127.0.0.1',
              port: 9,
              encryption: 'none',
              from: 'gatehouse@example.com',
              to: ['security@example.com'],
            },
          },
        },
      },
    },
  });
}

for (const look of looks)
  test(`every page (${look.shade}, ${look.language}) has room for long names`, async () => {
    const page = await busy.openAs('administrator', '', look);
    for (const [at, name] of pages.entries()) {
      await page.locator('ui5-side-navigation-item').nth(at).click();
      await isThere[name](page);
      await picture(page, `long-${name}-${look.shade}-${look.language}`);
      await assertFits(page);
      await assertAccessible(page);
    }
    await page.context().close();
  });

test('a replica that says nothing any more is named', async () => {
  const page = await busy.openAs('auditor', '?page=audit');
  await page.getByText(/replicas are silent.*emea-02/).waitFor();
  await page.getByRole('button', { name: 'Trails' }).click();
  await page.getByRole('rowheader', { name: /emea-02/ }).waitFor();
  await picture(page, 'trails-silent');
  await assertFits(page);
  await page.context().close();
});

for (const look of looks)
  test(`where nobody has called yet, each page (${look.shade}, ${look.language}) says so`, async () => {
    const page = await quiet.openAs('administrator', '?page=audit&caller=nobody', look);
    await page.locator('.empty').waitFor();
    await picture(page, `quiet-audit-${look.shade}-${look.language}`);
    await assertAccessible(page);
    for (const [at, name] of (['overview', 'parties'] as const).entries()) {
      await page
        .locator('ui5-side-navigation-item')
        .nth(2 * at)
        .click();
      await isThere[name](page);
      await picture(page, `quiet-${name}-${look.shade}-${look.language}`);
      await assertFits(page);
      await assertAccessible(page);
    }
    await page.context().close();
  });

/** As if the process had ended: what the page has already got is all there is. */
async function cutOff(page: Page): Promise<void> {
  await page.route('**', (route) => route.abort());
  await page.context().setOffline(true);
}

for (const look of looks)
  test(`when the gateway is away, each page (${look.shade}, ${look.language}) says so and keeps its frame`, async () => {
    const page = await quiet.openAs('administrator', '', look);
    for (const [at, name] of (['overview', 'audit', 'parties'] as const).entries()) {
      await page.locator('ui5-side-navigation-item').nth(at).click();
      await isThere[name](page);
    }
    await cutOff(page);
    for (const [at, name] of (['overview', 'audit', 'parties'] as const).entries()) {
      await page.locator('ui5-side-navigation-item').nth(at).click();
      await page.locator('ui5-message-strip[design=Negative]').first().waitFor();
      await picture(page, `away-${name}-${look.shade}-${look.language}`);
      await assertAccessible(page);
    }
    // This one was never looked at, so the browser does not even have its script.
    await page.locator('ui5-side-navigation-item').nth(3).click();
    await page.locator('.failure').waitFor();
    await picture(page, `away-security-${look.shade}-${look.language}`);
    await page.locator('ui5-side-navigation-item').nth(2).click();
    await page.locator('.failure').waitFor({ state: 'detached' });
    await page.context().close();
  });

test('figures go on by themselves when the gateway is back', async () => {
  const page = await quiet.openAs('operator');
  await isThere.overview(page);
  await page.context().setOffline(true);
  await page.route('**/console/api/**', (route) => route.abort());
  await page.locator('ui5-side-navigation-item').nth(1).click();
  await page.locator('ui5-side-navigation-item').nth(0).click();
  await page.getByText('The gateway does not answer.').waitFor();
  await page.context().setOffline(false);
  await page.unroute('**/console/api/**');
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByText('The gateway does not answer.').waitFor({ state: 'detached' });
  await page.context().close();
});
