/** The console for everybody: by keyboard alone, for screen readers, light and dark, English and German. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { Page } from 'playwright-core';

import { assertAccessible, picture, startDesk, type Desk } from '../support/browser.ts';

let desk: Desk;
before(async () => {
  desk = await startDesk();
});
after(() => desk[Symbol.asyncDispose]());

const settled: Readonly<Record<string, (page: Page) => Promise<void>>> = {
  overview: (page) => page.locator('.tile').first().waitFor(),
  audit: (page) => page.locator('.grid-body > [role=row]').first().waitFor(),
  parties: (page) => page.locator('table.lines').first().waitFor(),
  security: (page) => page.locator('table.checks').first().waitFor(),
};

for (const [shade, language] of [
  ['light', 'en'],
  ['dark', 'de'],
] as const)
  test(`nothing keeps anybody from using a page that is ${shade} and speaks ${language}`, async () => {
    const page = await desk.open('', { shade, language });
    await page.locator('ui5-input').first().waitFor();
    await assertAccessible(page);
    await picture(page, `log-on-${shade}-${language}`);
    await desk.logOn(page, 'administrator');
    for (const [at, [name, isSettled]] of Object.entries(settled).entries()) {
      await page.locator('ui5-side-navigation-item').nth(at).click();
      await isSettled(page);
      await assertAccessible(page);
      await picture(page, `${name}-${shade}-${language}`);
    }
    await page.goto(`${desk.gateway.adminUrl}/console/?page=audit&kind=create`);
    await page.locator('.grid-body > [role=row]').first().click();
    await page.locator('.trace li').first().waitFor();
    await assertAccessible(page);
    await picture(page, `record-${shade}-${language}`);
    await page.context().close();
  });

test('Enter logs on once, also after a secret that was wrong', async () => {
  const page = await desk.open();
  const tries: string[] = [];
  page.on('request', (request) => {
    if (request.url().endsWith('/log-on') && request.method() === 'POST') tries.push(request.url());
  });
  const secret = page.locator('ui5-input[name=secret] input');
  await page.locator('ui5-input[name=user] input').fill('ada');
  await secret.pressSequentially('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('wrong').waitFor();
  assert.equal(tries.length, 1);
  await secret.fill(desk.secret);
  await page.keyboard.press('Enter');
  await page.locator('ui5-shellbar').waitFor();
  assert.equal(tries.length, 2);
  await page.context().close();
});

test('the whole way goes by keyboard: log on, go to the trail, choose a time, open and close a record', async () => {
  const page = await desk.open();
  await page.locator('ui5-input[name=user]').waitFor();
  await tabTo(page, () => document.activeElement?.getAttribute('name') === 'user');
  await page.keyboard.type('ada');
  await page.keyboard.press('Tab');
  await page.keyboard.type(desk.secret);
  await page.keyboard.press('Enter');
  await page.locator('ui5-shellbar').waitFor();

  await tabTo(page, () => document.activeElement?.localName === 'ui5-side-navigation-item');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.locator('.grid-body > [role=row]').first().waitFor();

  await tabTo(page, () => document.activeElement?.getAttribute('role') === 'slider');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await page.waitForURL(/from=/);

  await tabTo(page, () => document.activeElement?.getAttribute('role') === 'grid');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.waitForURL(/record=/);
  await page.locator('.detail ui5-button').last().waitFor();
  await tabTo(
    page,
    () =>
      document.activeElement?.closest('.detail') !== null &&
      document.activeElement?.getAttribute('icon') === 'decline',
  );
  await page.keyboard.press('Enter');
  await page.waitForURL((address) => !address.searchParams.has('record'));
  await page.context().close();
});

test('the first stop of the tab key leads past the navigation', async () => {
  const page = await desk.openAs('administrator');
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement?.id), 'content');
  await page.context().close();
});

test('who chooses German and dark keeps both', async () => {
  const page = await desk.openAs('operator');
  await page.locator('ui5-avatar').first().click();
  await page.getByText('Deutsch').click();
  await page.getByText('Dunkel').click();
  await page.reload();
  await page.locator('ui5-title').getByText('Übersicht').waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.dataset['shade']), 'dark');
  await page.context().close();
});

/** Presses the key until `isThere`, as somebody would. */
async function tabTo(page: Page, isThere: () => boolean): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    if (await page.evaluate(isThere)) return;
    await page.keyboard.press('Tab');
  }
  assert.fail(`the tab key does not lead to ${isThere.toString()}`);
}

test('no page asked another server for anything, nor broke its policy', () => {
  assert.deepEqual(desk.complaints(), []);
});
