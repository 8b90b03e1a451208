/**
 * Takes the pictures of docs/images anew: generated calls through real gateways, seen in a real Chromium.
 * Invariant: what a picture shows has happened to the gateway in it; only the clock of the day went faster meanwhile.
 */
import assert from 'node:assert/strict';
import { join, resolve } from 'node:path';
import { mock } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ConfigDocument } from '../../src/gateway/config-schema.ts';
import { Secret } from '../../src/gateway/secret.ts';
import { startDesk, type Desk, type Look } from '../support/browser.ts';
import { systemId } from '../support/gateway.ts';
import { sendScim, startUpstream, type TestUpstream } from '../support/upstream.ts';

const folder = resolve(import.meta.dirname, '../../docs/images');
const otherSystemId = systemId.replace(/1$/, '2');
const users = 60;

/** What a step of the overview's figures takes here; the tenants' minute is as much shorter. */
const playedMs = 400;
const overviewSteps = 90;
const overviewStepMs = 10_000;
const halfHours = 96;
const halfHourMs = 30 * 60_000;

interface Stage extends AsyncDisposable {
  readonly desk: Desk;
  /** Of the users of one tenant; the other tenant knows every id. */
  readonly ids: readonly string[];
  /** Takes another tenant, or a destination of the trail, away and brings it back. */
  readonly leaveQuality: (isAway: boolean) => void;
  readonly leaveArchive: (isAway: boolean) => void;
}

mock.timers.enable({ apis: ['Date'] });
await takeAuditTrail();
await takeOverview();

/** Busy by day and quiet at night, with a tenant that was away for some hours. */
async function takeAuditTrail(): Promise<void> {
  goBack(halfHours * halfHourMs);
  await using stage = await setStage();
  for (let step = 1; step < halfHours; step++) {
    goBack((halfHours - step) * halfHourMs);
    stage.leaveQuality(step >= 40 && step < 46);
    const hour = new Date().getHours();
    await play(stage, step, 4 + Math.round(36 * Math.max(0, Math.sin(((hour - 6) / 14) * Math.PI))));
  }
  using _ = followClock();
  // By then the trail has told of the last step of the clock.
  await sleep(1500);
  for (const calls of [20, 9]) await play(stage, halfHours, calls);
  await takePicture(stage.desk, 'console-audit', { shade: 'dark' }, '?page=audit', [
    '.histogram .chart-area rect',
    '.facets button',
    '.grid-body > [role=row]',
  ]);
}

/** The last quarter of an hour, with a tenant that was away for a minute and a destination that still is. */
async function takeOverview(): Promise<void> {
  goBack(halfHours * halfHourMs);
  await using stage = await setStage();
  const end = now() + overviewSteps * playedMs;
  for (let step = 0; step < overviewSteps; step++) {
    // Held against one end, so that each step of the figures gets one step of calls.
    mock.timers.setTime(end - (overviewSteps - 1 - step) * overviewStepMs);
    stage.leaveQuality(step >= 58 && step < 64);
    stage.leaveArchive(step >= 60);
    const calls = 20 + Math.round(12 * Math.cos((step / 45) * Math.PI)) + (step % 4);
    await Promise.all([play(stage, step, calls), sleep(playedMs)]);
  }
  using _ = followClock();
  await takePicture(stage.desk, 'console-overview', { shade: 'light' }, '', ['.tile', 'text="Live"']);
}

/**
 * As if it were so long ago. It ends at the real time: whether a trail is silent is judged in a thread with a clock of
 * its own.
 */
function goBack(ms: number): void {
  mock.timers.setTime(now() - ms);
}

/** As the clock of the day has it beside this. */
function now(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}

/** The clock of this process goes as all clocks do. */
function followClock(): Disposable {
  goBack(0);
  const timer = setInterval(() => goBack(0), 100);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** @returns what makes it answer everybody with 503, or again as it did before */
function absenceOf(upstream: TestUpstream): (isAway: boolean) => void {
  const { answer } = upstream;
  return (isAway) => {
    upstream.answer = isAway ? (_, response) => sendScim(response, 503, {}) : answer;
  };
}

async function setStage(): Promise<Stage> {
  await using starting = new AsyncDisposableStack();
  const quality = starting.use(await startUpstream({ remembers: false }));
  const archive = starting.use(await startUpstream({ remembers: false }));
  const siem = starting.use(await startUpstream({ remembers: false }));
  const config = landscape(quality.url, siem.url, archive.url);
  const desk = starting.use(await startDesk({ quiet: true, gateway: { config } }));
  const reply = await desk.gateway.call('GET', `/Users?count=${users}`);
  const { Resources } = (await reply.json()) as { Resources: readonly { readonly id: string }[] };
  const running = starting.move();
  return {
    desk,
    ids: Resources.map(({ id }) => id),
    leaveQuality: absenceOf(quality),
    leaveArchive: absenceOf(archive),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function landscape(quality: string, siem: string, archive: string): Partial<ConfigDocument> {
  const minute = `${(60_000 / overviewStepMs) * playedMs}ms`;
  const may = (...access: ('read' | 'write')[]) => ({
    permissions: [{ permission: 'Access Proxy System API', systems: 'all', access } as const],
  });
  const hook = { type: 'webhook', secret: new Secret('shared with the hook') } as const;
  return {
    audit: {
      directory: 'audit',
      instance: 'gatehouse-1',
      keyFile: 'keys/audit.key',
      ballast: '0B',
      destinations: {
        siem: { ...hook, url: siem },
        archive: { ...hook, url: archive },
      },
    },
    callers: {
      'identity-manager': may('read', 'write'),
      'access-governance': may('read', 'write'),
      reporting: may('read'),
    },
    tenants: {
      'acme-production': { embedded: { port: 0, users, groups: 5 }, pace: { minute } },
      'acme-quality': { url: quality, credential: { type: 'none' }, pace: { minute, perMinute: 95 } },
    },
    systems: {
      [systemId]: { tenant: 'acme-production', name: 'HR, production' },
      [otherSystemId]: { tenant: 'acme-quality', name: 'HR, quality' },
    },
  };
}

async function play(stage: Stage, step: number, calls: number): Promise<void> {
  await Promise.all(Array.from({ length: calls }, (_, at) => makeCall(stage, step * 31 + at)));
}

/** Mostly reads, and most of them again; some writes, and now and then one by somebody who may only read. */
async function makeCall({ desk: { gateway }, ids }: Stage, at: number): Promise<void> {
  const one = `/Users/${ids[(at * 7) % ids.length]}`;
  const reader = { authorization: gateway.logOn(at % 2 === 0 ? 'identity-manager' : 'access-governance') };
  const change = (user: string): Promise<Response> =>
    gateway.call('PATCH', one, changeOf(at), { authorization: gateway.logOn(user) });
  const ask = (): Promise<Response> => {
    if (at % 67 === 5) return change('reporting');
    if (at % 13 === 2) return change('identity-manager');
    if (at % 7 === 4)
      return fetch(`${gateway.base.replace(systemId, otherSystemId)}/Users/${at % 97}`, { headers: reader });
    const page = `/Users?startIndex=${1 + 20 * (at % 2)}&count=20`;
    return gateway.call('GET', at % 5 === 0 ? page : one, undefined, reader);
  };
  await (await ask()).arrayBuffer();
}

function changeOf(at: number): object {
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
    Operations: [{ op: 'replace', path: 'active', value: at % 2 === 0 }],
  };
}

async function takePicture(
  desk: Desk,
  name: string,
  look: Look,
  path: string,
  signs: readonly string[],
): Promise<void> {
  const page = await desk.openAs('administrator', path, look);
  for (const sign of signs) await page.locator(sign).first().waitFor();
  await page.screenshot({ path: join(folder, `${name}.webp`), quality: 84, animations: 'disabled' });
  await page.context().close();
  assert.deepEqual(desk.complaints(), []);
}
