/** The buttons that try the channels of alerts: each sends one to a real receiver, and says what became of it. */
import assert from 'node:assert/strict';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import type { Page } from 'playwright-core';

import { Secret } from '../../src/gateway/secret.ts';
import { assertAccessible, picture, startDesk, type Desk } from '../support/browser.ts';
import { createCertificate } from '../support/certificate.ts';
import { startMailServer, type MailServer } from '../support/mail-server.ts';
import { startSyslogReceiver, type SyslogReceiver } from '../support/syslog-receiver.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const running = new AsyncDisposableStack();
let hook: TestUpstream;
let collector: SyslogReceiver;
let post: MailServer;
let desk: Desk;
before(async () => {
  const authority = createCertificate();
  const directory = running.use(await mkdtempDisposable(join(tmpdir(), 'gatehouse-alerts-')));
  const ca = join(directory.path, 'ca.pem');
  await writeFile(ca, authority.certificate);
  hook = running.use(await startUpstream());
  collector = running.use(await startSyslogReceiver(authority));
  post = running.use(await startMailServer());
  const host = '127.0.0.1';
  const mail = {
    type: 'smtp' as const,
    encryption: 'none' as const,
    from: 'gatehouse@example.com',
    to: ['security@example.com'],
  };
  const channels = {
    hook: { type: 'webhook' as const, url: hook.url, secret: new Secret('shared with the hook') },
    collector: { type: 'syslog' as const, host, port: collector.port, ca: { file: ca } },
    post: { host, port: post.port, ...mail },
    away: { host, port: 9, ...mail },
    spare: { host, port: 9, least: 'critical' as const, ...mail },
  };
  desk = running.use(await startDesk({ quiet: true, gateway: { config: { alerts: { channels } } } }));
});
after(() => running.disposeAsync());

async function tryChannel(page: Page, name: string, button: string): Promise<void> {
  await page.getByRole('row', { name }).getByRole('button', { name: button }).click();
  const dialog = page.locator('ui5-dialog.action');
  await dialog.locator('textarea').fill('a new receiver');
  await dialog.locator('ui5-button[design=Emphasized]').click();
}

const arrived: Readonly<Record<string, () => readonly string[]>> = {
  hook: () => hook.received.map(({ body }) => body),
  collector: () => collector.messages,
  post: () => post.mails.map(({ content }) => content),
};

test('a channel to which nothing was sent is not said to take alerts', async () => {
  const page = await desk.openAs('operator', '?page=parties');
  await page.getByRole('row', { name: 'spare' }).getByText('Not tried yet').waitFor();
  await page.context().close();
});

for (const [name, texts] of Object.entries(arrived))
  test(`the button of ${name} sends one alert there, and says that it was taken`, async () => {
    const page = await desk.openAs('operator', '?page=parties');
    await tryChannel(page, name, 'Send a test');
    await page.getByText(`${name} took the test.`).waitFor();
    const tests = texts().filter((text) => text.includes('Somebody tries whether alerts arrive'));
    assert.equal(tests.length, 1);
    await page.context().close();
  });

test('a channel that does not take it is told with the reason, and its dialog stays', async () => {
  const page = await desk.openAs('operator', '?page=parties', { language: 'de', shade: 'dark' });
  await tryChannel(page, 'away', 'Test senden');
  await page.getByText(/Der Kanal hat ihn nicht angenommen\. away did not take it/).waitFor();
  await picture(page, 'alerts-not-taken');
  await assertAccessible(page);
  await page.getByRole('button', { name: 'Abbrechen' }).click();
  await page.getByRole('row', { name: 'away' }).getByText('Hat zuletzt nicht angenommen').waitFor();
  await page.context().close();
});

test('who tried which channel stands in the trail', async () => {
  const acted = (await desk.gateway.records()).filter(({ event }) => event === 'console.acted');
  const channels = acted.map(({ facts = {} }) => ('channel' in facts ? facts['channel'] : undefined));
  assert.deepEqual(new Set(channels), new Set(['away', 'collector', 'hook', 'post']));
});
