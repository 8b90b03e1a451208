/** Logging on with an identity provider, in a real browser that goes there and comes back. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { Page } from 'playwright-core';

import { Secret } from '../../src/gateway/secret.ts';
import { assertAccessible, picture, startDesk, type Desk } from '../support/browser.ts';
import { startOidcProvider, type OidcProvider } from '../support/oidc-provider.ts';

const clientSecret = 'correct-horse-battery';

let provider: OidcProvider;
let desk: Desk;
before(async () => {
  provider = await startOidcProvider('gatehouse-console', clientSecret);
  desk = await startDesk({
    console: {
      oidc: {
        issuer: provider.issuer,
        clientId: 'gatehouse-console',
        clientSecret: new Secret(clientSecret),
        claim: 'groups',
        roles: { auditor: ['auditors'], operator: ['operators'] },
        label: 'Company log-on',
      },
    },
  });
});
after(async () => {
  await desk[Symbol.asyncDispose]();
  await provider[Symbol.asyncDispose]();
});

async function leaveFor(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Company log-on' }).click();
}

test('whom the provider calls an auditor comes back as one, to where the way began', async () => {
  provider.claims = { sub: 'person-1', preferred_username: 'audrey', groups: ['others', 'auditors'] };
  const page = await desk.open('?page=audit&caller=identity-manager');
  await page.getByText('Local account').waitFor();
  await assertAccessible(page);
  await picture(page, 'log-on-oidc');
  await leaveFor(page);
  await page.getByRole('option', { name: 'Caller: identity-manager' }).waitFor();
  const entries = page.locator('ui5-side-navigation-item');
  assert.deepEqual(await entries.evaluateAll((items) => items.map((item) => item.getAttribute('text'))), [
    'Audit trail',
  ]);
  await page.locator('ui5-avatar').first().click();
  await page.getByText('audrey').first().waitFor();
  await page.getByText('company log-on').first().waitFor();
  await page.context().close();
});

test('whom no role is given to is told so, and is shown nothing', async () => {
  provider.claims = { sub: 'person-2', preferred_username: 'norman', groups: ['others'] };
  const page = await desk.open();
  await leaveFor(page);
  await page.getByText('You are known, but no role of the console is yours.').waitFor();
  assert.equal(await page.locator('ui5-shellbar').count(), 0);
  await page.context().close();
});

test('the way to the provider and back is all that another server is asked for', () => {
  const others = desk
    .complaints()
    .filter((told) => !told.startsWith(`it asked ${provider.issuer}/authorize?`));
  assert.deepEqual(others, []);
});
