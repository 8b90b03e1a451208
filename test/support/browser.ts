/**
 * A real Chromium before a real gateway with its console, an embedded tenant and traffic of every kind. Invariant: a page
 * that asks another server for something, or breaks its own policy, fails the test that looked at it.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { chromium, type Browser, type Page } from 'playwright-core';
import { stringify } from 'yaml';

import { generateSecret, hashSecret } from '../../src/auth/secret.ts';
import type { Role } from '../../src/console/api/endpoints.ts';
import { startGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts';

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

export function browserPath(): string | undefined {
  return places.find((place) => existsSync(place));
}

export interface Look {
  readonly shade?: 'light' | 'dark';
  readonly language?: 'en' | 'de';
}

export interface Desk extends AsyncDisposable {
  readonly gateway: TestGateway;
  /** A page in a browser of its own, before anybody has logged on. */
  open(path?: string, look?: Look): Promise<Page>;
  /** The same with somebody of this role logged on. */
  openAs(role: Role, path?: string, look?: Look): Promise<Page>;
  /** Types name and secret of the role into the page that asks for them. */
  logOn(page: Page, role: Role): Promise<void>;
  /** Of every role. */
  readonly secret: string;
  /** What went wrong on any page so far. */
  complaints(): readonly string[];
}

const accounts = { vera: 'auditor', otto: 'operator', ada: 'administrator' } as const;
const nameOf = (role: Role): string =>
  Object.entries(accounts).find(([, theirs]) => theirs === role)?.[0] ?? '';
const secret = generateSecret();

export interface DeskOptions {
  /** Changes of the console's settings. */
  readonly console?: object;
  /** Changes of the gateway, beside its console. */
  readonly gateway?: TestGatewayOptions;
  /** Nobody has called yet. */
  readonly quiet?: boolean;
}

export async function startDesk({
  console: changes = {},
  gateway: { config, ...others } = {},
  quiet = false,
}: DeskOptions = {}): Promise<Desk> {
  await using starting = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-console-'));
  starting.defer(() => rm(directory, { recursive: true }));
  const gateway = starting.use(
    await startGateway({
      ...others,
      config: { admin: await consoleIn(directory, changes), guard: { deletes: { most: 1 } }, ...config },
    }),
  );
  if (!quiet) await makeTraffic(gateway);
  const browser = await chromium.launch({
    executablePath: browserPath() ?? 'chromium',
    // Root has no sandbox; what is shown is our own page.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
  starting.defer(() => browser.close());
  const complaints: string[] = [];
  const open = (path = '', look: Look = {}): Promise<Page> =>
    openPage(browser, `${gateway.adminUrl}/console/${path}`, look, complaints);
  const logOn = async (page: Page, role: Role): Promise<void> => {
    await page.locator('ui5-input[name=user] input').fill(nameOf(role));
    await page.locator('ui5-input[name=secret] input').fill(secret);
    await page.keyboard.press('Enter');
    await page.locator('ui5-shellbar').waitFor();
  };
  const running = starting.move();
  return {
    gateway,
    open,
    openAs: async (role, path, look) => {
      const page = await open(path, look);
      await logOn(page, role);
      return page;
    },
    logOn,
    secret,
    complaints: () => complaints,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function consoleIn(directory: string, changes: object) {
  const hash = await hashSecret(secret);
  const book = Object.fromEntries(Object.keys(accounts).map((name) => [name, [{ hash }]]));
  const secretsFile = join(directory, 'secrets.yaml');
  await writeFile(secretsFile, stringify(book), { mode: 0o600 });
  const roles = Object.fromEntries(Object.entries(accounts).map(([name, role]) => [name, { role }]));
  return {
    port: 0,
    console: { accounts: roles, secretsFile, indexDirectory: join(directory, 'indexes'), ...changes },
  };
}

export const typedName = 'traffic.one@example.com';

/** Hits, misses, writes, refusals and calls that nobody may make. */
async function makeTraffic(gateway: TestGateway): Promise<void> {
  const call = (method: string, path: string, body?: unknown): Promise<Response> =>
    gateway.call(method, path, body);
  const drain = async (reply: Promise<Response>): Promise<void> => void (await (await reply).arrayBuffer());
  for (let turn = 0; turn < 12; turn++) {
    await drain(call('GET', `/Users?count=${(turn % 3) + 2}`));
    await drain(call('GET', `/Groups?count=${(turn % 2) + 1}`));
  }
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User'];
  const emails = [{ value: typedName, type: 'work', primary: true }];
  await drain(call('POST', '/Users', { schemas, userName: typedName, name: { familyName: 'One' }, emails }));
  await drain(call('GET', `/Users?filter=${encodeURIComponent(`userName eq "${typedName}"`)}`));
  await drain(call('GET', '/Users/nobody'));
  await drain(fetch(`${gateway.base}/Users`));
}

async function openPage(
  browser: Browser,
  address: string,
  { shade = 'light', language = 'en' }: Look,
  complaints: string[],
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    colorScheme: shade,
    locale: language === 'de' ? 'de-DE' : 'en-GB',
    timezoneId: 'Europe/Berlin',
  });
  context.setDefaultTimeout(20_000);
  const page = await context.newPage();
  const own = new URL(address).origin;
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== own && protocol !== 'blob:') complaints.push(`it asked ${request.url()}`);
  });
  page.on('pageerror', (error) => complaints.push(`it threw ${error.message}`));
  page.on('console', (message) => {
    // A refused log-on is an error to the browser, and is none here.
    if (message.type() === 'error' && !message.text().includes('status of 40'))
      complaints.push(`it told ${message.text()}`);
  });
  await page.goto(address);
  return page;
}

const screenshots = process.env['SCREENSHOTS'] ?? join(tmpdir(), 'gatehouse-screenshots');

/** As a person sees it at 1440 × 900; kept for people, in `SCREENSHOTS` or the temporary directory. */
export async function picture(page: Page, name: string): Promise<void> {
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}

const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

/** Fails for what keeps somebody from using the page. */
export async function assertAccessible(page: Page): Promise<void> {
  // By the debugger, which the page's policy does not bind as it binds the page.
  await page.evaluate(await readFile(axe, 'utf8'));
  const violations = await page.evaluate<Violation[]>('axe.run().then(({ violations }) => violations)');
  const found = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(
      ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join('\n')}`,
    );
  assert.deepEqual(found, []);
}
