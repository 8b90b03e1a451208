/** What each role finds in the console, in a real browser before a real gateway. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import type { Page } from 'playwright-core';

import type { Role } from '../../src/console/api/endpoints.ts';
import { assertAccessible, picture, startDesk, type Desk } from '../support/browser.ts';

let desk: Desk;
before(async () => {
  desk = await startDesk();
});
after(() => desk[Symbol.asyncDispose]());

async function pagesOf(page: Page): Promise<string[]> {
  await page.locator('ui5-side-navigation-item').first().waitFor();
  return page
    .locator('ui5-side-navigation-item')
    .evaluateAll((items) => items.map((item) => item.getAttribute('text') ?? ''));
}

const pages: Readonly<Record<Role, readonly string[]>> = {
  auditor: ['Audit trail'],
  operator: ['Overview', 'Systems and callers'],
  administrator: ['Overview', 'Audit trail', 'Systems and callers', 'Security'],
};

for (const role of ['auditor', 'operator', 'administrator'] as const)
  test(`the ${role} finds the pages of the role, and no other`, async () => {
    const page = await desk.openAs(role);
    assert.deepEqual(await pagesOf(page), pages[role]);
    await page.goto(`${desk.gateway.adminUrl}/console/?page=${role === 'auditor' ? 'overview' : 'audit'}`);
    const heading = page.locator('ui5-dynamic-page-title ui5-title').first();
    assert.equal(await heading.textContent(), role === 'operator' ? 'Overview' : 'Audit trail');
    await page.context().close();
  });

test('a wrong secret is told, and nothing is shown', async () => {
  const page = await desk.open();
  await page.locator('ui5-input[name=user] input').fill('ada');
  await page.locator('ui5-input[name=secret] input').fill('guessed');
  await page.getByRole('button', { name: 'Log on' }).click();
  await page.getByText('User or secret is wrong.').waitFor();
  assert.equal(await page.locator('ui5-shellbar').count(), 0);
  await picture(page, 'log-on-wrong');
  await page.context().close();
});

test('who was logged off elsewhere is asked to log on, and comes back to the same view', async () => {
  const page = await desk.openAs('auditor', '?page=audit&caller=identity-manager');
  await page.getByRole('grid').waitFor();
  await page.context().clearCookies();
  await page.getByRole('button', { name: 'Refresh' }).click();
  await page.getByText('Your session has ended.').waitFor();
  await desk.logOn(page, 'auditor');
  await page.getByRole('option', { name: 'Caller: identity-manager' }).waitFor();
  await page.context().close();
});

test('who does nothing is asked in time, and may stay', async () => {
  const page = await desk.open();
  await page.clock.install();
  await page.reload();
  await desk.logOn(page, 'auditor');
  // What the page asks moves the end of the session.
  await page.locator('.grid-body > [role=row]').first().waitFor();
  await page.clock.fastForward('14:30');
  await page.getByText('Are you still there?').waitFor();
  await page.getByRole('button', { name: 'Stay logged on' }).click();
  await page.getByText('Are you still there?').waitFor({ state: 'hidden' });
  assert.equal(await page.locator('ui5-shellbar').count(), 1);
  await page.context().close();
});

test('the overview shows the traffic and goes on by itself', async () => {
  const page = await desk.openAs('operator');
  await page.getByText('Live', { exact: true }).waitFor();
  const calls = page.getByRole('group', { name: 'Answered from the cache' });
  await calls.getByText(/\d+ of \d+ reads/).waitFor();
  const text = await calls.textContent();
  await (await desk.gateway.call('GET', '/Users?count=2')).arrayBuffer();
  await page.waitForFunction((former) => document.querySelectorAll('.tile')[1]?.textContent !== former, text);
  await page.context().close();
});

test('a tenant is paused only with a reason, and who did it why stands there and in the trail', async () => {
  const page = await desk.openAs('operator', '?page=parties');
  await page.getByRole('button', { name: 'Pause' }).click();
  const dialog = page.locator('ui5-dialog.action');
  const confirm = dialog.locator('ui5-button[design=Emphasized]');
  assert.notEqual(await confirm.getAttribute('disabled'), null);
  await dialog.locator('textarea').fill('maintenance of the tenant');
  await confirm.click();
  await page.getByText('otto: maintenance of the tenant').waitFor();
  await picture(page, 'parties-paused');
  await page.getByRole('button', { name: 'Resume' }).click();
  await dialog.locator('textarea').fill('maintenance is over');
  await confirm.click();
  await page.getByText('Calls go up').waitFor();
  const reasons = (await desk.gateway.records()).map((record) => JSON.stringify(record));
  assert.ok(reasons.some((record) => record.includes('maintenance of the tenant')));
  await page.context().close();
});

test('the cache of a system is forgotten: the next read asks the tenant again', async () => {
  const { gateway } = desk;
  const upstreamCalls = async (): Promise<number> =>
    (await gateway.records()).filter(({ event }) => event === 'upstream.intent').length;
  await (await gateway.call('GET', '/Users?count=2')).arrayBuffer();
  const before = await upstreamCalls();
  const page = await desk.openAs('operator', '?page=parties');
  await page.getByRole('button', { name: 'Forget cache' }).click();
  const dialog = page.locator('ui5-dialog.action');
  await dialog.locator('textarea').fill('ok');
  await dialog.getByText('At least 3 characters').waitFor();
  await dialog.locator('textarea').fill('the tenant was changed by hand');
  await dialog.getByText('At least 3 characters').waitFor({ state: 'detached' });
  await dialog.locator('ui5-button[design=Emphasized]').click();
  await page.getByText(/forgotten \d/).waitFor();
  await (await gateway.call('GET', '/Users?count=2')).arrayBuffer();
  assert.equal(await upstreamCalls(), before + 1);
  await page.context().close();
});

test('what the guard holds is released by somebody who says why, and then goes up', async () => {
  const { gateway } = desk;
  const list = await (await gateway.call('GET', '/Users?count=3')).json();
  const remove = async (at: number): Promise<number> =>
    (await gateway.call('DELETE', `/Users/${list.Resources[at].id}`)).status;
  assert.equal(await remove(0), 204);
  assert.notEqual(await remove(1), 204);
  const page = await desk.openAs('operator', '?page=parties');
  await page.getByText('Held back').waitFor();
  await picture(page, 'parties-held');
  await page.getByRole('button', { name: 'Release' }).click();
  const dialog = page.locator('ui5-dialog.action');
  const [count, minutes] = await dialog.locator('ui5-step-input').all();
  assert.deepEqual([await count?.getAttribute('value'), await minutes?.getAttribute('value')], ['2', '60']);
  await count?.locator('input').fill('1');
  await dialog.locator('textarea').fill('the department was closed');
  await assertAccessible(page);
  await picture(page, 'parties-release');
  await dialog.locator('ui5-button[design=Emphasized]').click();
  await page.getByText('Released: 1 may still pass').waitFor();
  await picture(page, 'parties-released');
  const other = await desk.openAs('administrator', '?page=parties');
  await other.getByText('Released: 1 may still pass').waitFor();
  await other.context().close();
  assert.equal(await remove(1), 204);
  await page.context().close();
});

test('no page asked another server for anything, nor broke its policy', () => {
  assert.deepEqual(desk.complaints(), []);
});
