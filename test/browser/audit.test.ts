/** An investigation in the console: find, narrow, look, prove, verify, export. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import type { Page } from 'playwright-core';

import { assertAccessible, picture, startDesk, typedName, type Desk } from '../support/browser.ts';

let desk: Desk;
before(async () => {
  desk = await startDesk();
});
after(() => desk[Symbol.asyncDispose]());

const rows = (page: Page) => page.locator('.grid-body > [role=row]');
const parametersOf = (page: Page): URLSearchParams => new URL(page.url()).searchParams;

test('a value that was typed finds its records, and stands in no address', async () => {
  const page = await desk.openAs('auditor', '?page=audit');
  await page.getByRole('textbox', { name: 'Person or resource' }).fill(typedName);
  await page.keyboard.press('Enter');
  await page.getByRole('option', { name: /pseudonyms/ }).waitFor();
  await rows(page).first().waitFor();
  assert.ok(parametersOf(page).getAll('pseudonym').length > 0);
  assert.ok(!decodeURIComponent(page.url()).includes(typedName));
  await page.context().close();
});

test('a link opens the same view for somebody else', async () => {
  const page = await desk.openAs('auditor', '?page=audit');
  await page.getByRole('button', { name: /Refused/ }).click();
  await rows(page).first().waitFor();
  await rows(page).first().click();
  await page.getByText('Decision', { exact: true }).waitFor();
  const other = await desk.openAs('administrator', new URL(page.url()).search);
  await other.getByRole('option', { name: 'Outcome: Refused' }).waitFor();
  await other.getByText('Decision', { exact: true }).waitFor();
  assert.equal(
    await other.locator('.detail ui5-title').first().textContent(),
    await page.locator('.detail ui5-title').first().textContent(),
  );
  await page.context().close();
  await other.context().close();
});

test('a record shows how its call was decided, what went up for it, and the proof of it', async () => {
  const page = await desk.openAs('auditor', '?page=audit&kind=create&resourceType=Users');
  await rows(page).first().click();
  const detail = page.locator('.detail');
  await detail.getByText('Who calls').waitFor();
  await detail.getByText('POST').first().waitFor();
  await detail.getByText('upstream.intent').first().waitFor();
  await detail.getByRole('button', { name: 'Prove it' }).click();
  await detail.getByText('The path leads to the checkpoint’s root').waitFor();
  const saving = page.waitForEvent('download');
  await detail.getByRole('button', { name: 'Save proof' }).click();
  assert.match((await saving).suggestedFilename(), /^proof-.*\.json$/);
  await page.context().close();
});

test('a record without an outcome shows none, and its place in the trail is its number', async () => {
  const page = await desk.openAs('auditor', '?page=audit&event=upstream.intent&order=oldest');
  await rows(page).first().click();
  const detail = page.locator('.detail');
  await detail.getByRole('button', { name: 'Prove it' }).click();
  const place = detail.locator('dt', { hasText: 'Place' }).locator('xpath=following-sibling::dd');
  const seq = new URL(page.url()).searchParams.get('record')?.split(':')[1];
  assert.match((await place.textContent()) ?? '', new RegExp(`^${seq} of \\d+$`));
  assert.equal(await detail.locator('dt', { hasText: 'Outcome' }).count(), 0);
  await page.context().close();
});

test('an instant is written as all others on the page', async () => {
  const page = await desk.openAs('auditor', '?page=audit');
  await rows(page).first().waitFor();
  const from = page.locator('ui5-datetime-picker').first().locator('input');
  assert.match((await from.getAttribute('placeholder')) ?? '', /^e\.g\. 31\/12\/\d{4}, 23:59:59$/);
  await from.fill('01/11/2026, 10:00:00');
  await page.keyboard.press('Enter');
  await page.waitForURL(/from=2026-11-01T09%3A00%3A00/);
  await page.reload();
  await rows(page).first().waitFor();
  assert.equal(await from.inputValue(), '01/11/2026, 10:00:00');
  await page.context().close();
});

test('a verification tells of every trail, and nothing that files cannot show', async () => {
  const page = await desk.openAs('auditor', '?page=audit');
  await page.getByRole('button', { name: 'Verify now' }).click();
  const dialog = page.locator('ui5-dialog.verify');
  await dialog.getByRole('rowheader', { name: 'test' }).waitFor();
  await dialog.getByText('Nothing was changed in what is here. Whether the end is whole only').waitFor();
  await dialog.getByText('Unchanged', { exact: true }).waitFor();
  assert.doesNotMatch((await dialog.textContent()) ?? '', /Whole|are whole/);
  await picture(page, 'verify');
  await assertAccessible(page);
  await page.context().close();
});

test('what was found is exported as it was found', async () => {
  const page = await desk.openAs('auditor', '?page=audit&event=authn.success');
  await page.getByRole('button', { name: 'Export' }).click();
  const saving = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: 'The trail’s own lines' }).click();
  const lines = (await readFile(await (await saving).path(), 'utf8')).trim().split('\n');
  assert.deepEqual([...new Set(lines.map((line) => JSON.parse(line).event))], ['authn.success']);
  await page.context().close();
});

test('dragging over the histogram chooses its time, and the button back leads out of it', async () => {
  const page = await desk.openAs('auditor', '?page=audit');
  const chart = page.locator('.histogram .chart-area');
  await chart.waitFor();
  const box = await chart.boundingBox();
  assert.ok(box);
  await page.mouse.move(box.x + box.width / 2, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 20, box.y + 40, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL(/from=/);
  assert.ok(parametersOf(page).get('to'));
  await page.goBack();
  assert.equal(parametersOf(page).get('from'), null);
  await page.context().close();
});

test('of many records only the rows in sight exist, and scrolling brings the others', async () => {
  const { gateway } = desk;
  for (let turn = 0; turn < 260; turn++) await (await gateway.call('GET', '/Users?count=2')).arrayBuffer();
  const page = await desk.openAs('auditor', '?page=audit&event=request.cache_hit');
  await page
    .getByText(/records loaded|\d+ records$/)
    .first()
    .waitFor();
  assert.ok((await rows(page).count()) < 80);
  await page.getByRole('grid').focus();
  for (let turn = 0; turn < 3; turn++) {
    await page.keyboard.press('End');
    await page.waitForTimeout(300);
  }
  await page.waitForFunction(
    () => Number(document.querySelector('[role=grid]')?.getAttribute('aria-rowcount')) > 260,
  );
  assert.ok((await rows(page).count()) < 80);
  await page.context().close();
});

test('no page asked another server for anything, nor broke its policy', () => {
  assert.deepEqual(desk.complaints(), []);
});
