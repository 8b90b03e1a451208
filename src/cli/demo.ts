/** `gatehouse demo`: an identity manager's day against a gateway and an embedded tenant, on embedded defaults. */
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { addSecret } from '../auth/secret-file.ts';
import { parseConfig, type Config } from '../gateway/config.ts';
import { createGateway } from '../gateway/gateway.ts';
import type { Tenant } from '../ips/tenant.ts';
import { proxyPath } from '../scim/endpoint.ts';
import { version } from '../version.ts';
import { readArguments } from './arguments.ts';
import { run as audit } from './audit.ts';
import { day, type Stage } from './demo-day.ts';
import { startEmbedded } from './embedded.ts';
import { IdentityManager } from './identity-manager.ts';

export const help = `usage: gatehouse demo [--keep]

Starts an embedded tenant and a gateway on free loopback ports and plays an identity manager's day over HTTP.
The tenant's minute is 3 seconds long, so that the quota can be seen at work, and the gateway leaves a little more room
in it; everything else is as in service. There is no --json: the exit code is the result, and --keep leaves the trail, which
the commands of 'gatehouse audit' read.

  --keep   keep the directory with the audit trail and tell where it is

examples:
  gatehouse demo --keep

exit codes: 0 everything was right, 1 something was not (it is told), 4 wrong usage
`;

const system = '5d0cbe5a-6a3f-4c55-9d0e-3c1f4b7a2e01';
const minute = '3s';
/** In so short a minute a call that is 50 ms late is a second late; room for that keeps the demo's checks exact. */
const perMinute = 132;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { keep: { type: 'boolean' } }, help);
  if (!given) return 0;
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-demo-'));
  try {
    const faults = await play(directory);
    if (given.values.keep) say(`The audit trail is kept in ${join(directory, 'audit')}.`);
    say(faults === 0 ? 'All of it was right.' : `${faults} of the checks failed.`);
    return faults === 0 ? 0 : 1;
  } finally {
    if (!given.values.keep) await rm(directory, { recursive: true });
  }
}

async function play(directory: string): Promise<number> {
  const config = configure(directory);
  const secrets = new Map<string, string>();
  for (const user of Object.keys(config.callers))
    secrets.set(user, await addSecret(config.secretsFile, user));
  let faults = 0;
  const check = (what: string, holds: boolean): void => {
    if (!holds) faults += 1;
    say(`    ${holds ? '✓' : '✗'} ${what}`);
  };
  {
    await using embedded = await startEmbedded(config);
    const tenant = embedded.tenants.get('acme');
    if (!tenant) throw new Error('the embedded tenant did not start');
    await using gateway = await createGateway(config, {
      version,
      upstreamsOf: embedded.upstreamsOf,
    });
    const base = `${gateway.url}${proxyPath(system)}`;
    const logOn = (user: string, secret = secrets.get(user) ?? ''): IdentityManager =>
      new IdentityManager(base, { user, secret });
    const stage: Stage = {
      manager: logOn('identity-manager'),
      auditor: logOn('auditor'),
      stranger: logOn('identity-manager', 'not the secret'),
      tenant,
      progress: showProgress,
      check,
    };
    say(`A tenant at ${tenant.url.origin} (its minute is ${minute} long), the gateway at ${gateway.url}\n`);
    await playActs(stage);
    say('Afterwards');
    check("the tenant's directory is what the caller believes", isBelieved(tenant, stage.manager));
  }
  const code = await verifyTrail(config, directory);
  check('the audit trail is complete and unchanged', code === 0);
  return faults;
}

/** What an auditor keeps is on another host; here it is a directory that the gateway does not know. */
async function verifyTrail({ audit: { directory, instance } }: Config, base: string): Promise<number> {
  const kept = join(base, 'auditor');
  await mkdir(kept);
  for (const file of ['keys.pub', 'checkpoint'])
    await copyFile(join(directory, instance, file), join(kept, file));
  const evidence = ['--checkpoint', join(kept, 'checkpoint'), '--key', join(kept, 'keys.pub')];
  return audit(['verify', directory, ...evidence]);
}

interface Row {
  readonly title: string;
  readonly calls: number;
  readonly sent: number;
  /** Answered from the cache. */
  readonly saved: number;
  readonly refused: number;
  readonly longestMs: number;
  readonly seconds: number;
}

async function playActs(stage: Stage): Promise<void> {
  const people = [stage.manager, stage.auditor, stage.stranger];
  const rows: Row[] = [];
  for (const { title, play: playAct } of day) {
    say(title);
    const before = {
      calls: sum(people, callsOf),
      saved: sum(people, hitsOf),
      refused: sum(people, refusalsOf),
      sent: stage.tenant.figures.calls,
    };
    for (const person of people) person.longestMs = 0;
    const startedAt = performance.now();
    await playAct(stage);
    clearProgress();
    rows.push({
      title,
      calls: sum(people, callsOf) - before.calls,
      sent: stage.tenant.figures.calls - before.sent,
      saved: sum(people, hitsOf) - before.saved,
      refused: sum(people, refusalsOf) - before.refused,
      longestMs: Math.max(...people.map(({ longestMs }) => longestMs)),
      seconds: (performance.now() - startedAt) / 1000,
    });
  }
  say(`\n${table(rows)}\n\n${legend}\n`);
}

const legend =
  "To tenant: also the gateway's own calls (pages ahead, comparisons). Saved: callers' reads that needed none.";

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
const hitsOf = ({ hits }: IdentityManager): number => hits;
const callsOf = ({ calls }: IdentityManager): number => calls;
const refusalsOf = ({ refusals }: IdentityManager): number => sum([...refusals.values()], (n) => n);

function table(rows: readonly Row[]): string {
  const total: Row = {
    title: 'The day',
    calls: sum(rows, ({ calls }) => calls),
    sent: sum(rows, ({ sent }) => sent),
    saved: sum(rows, ({ saved }) => saved),
    refused: sum(rows, ({ refused }) => refused),
    longestMs: Math.max(...rows.map(({ longestMs }) => longestMs)),
    seconds: sum(rows, ({ seconds }) => seconds),
  };
  const heads = ['', 'calls', 'to tenant', 'saved', 'refused', 'longest wait', 'took'];
  const cells = [...rows, total].map(({ title, calls, sent, saved, refused, longestMs, seconds }) => [
    title,
    `${calls}`,
    `${sent}`,
    `${saved}`,
    `${refused}`,
    `${(longestMs / 1000).toFixed(2)} s`,
    `${seconds.toFixed(1)} s`,
  ]);
  const widths = heads.map((_head, at) => Math.max(...[heads, ...cells].map((row) => row[at]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  ');
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [line(heads), rule, ...cells.slice(0, -1).map(line), rule, line(cells.at(-1) ?? [])].join('\n');
}

/** Compares what both sides know of; `meta` and `groups` are the tenant's own and change without the caller. */
function isBelieved(tenant: Tenant, { belief }: IdentityManager): boolean {
  const directory = tenant.directory(system);
  return (['Users', 'Groups'] as const).every((type) => {
    const actual = new Map(
      [...directory.resources(type)].map((resource) => [String(resource['id']), essence(resource)]),
    );
    const believed = new Map([...belief[type]].map(([id, resource]) => [id, essence(resource)]));
    return isDeepStrictEqual(actual, believed);
  });
}

function essence({ meta: _meta, groups: _groups, members, ...rest }: Record<string, unknown>): object {
  const ids = Array.isArray(members) ? members.map((member: { value?: unknown }) => member.value) : [];
  return { ...rest, members: ids.map(String).toSorted() };
}

function configure(directory: string): Config {
  const grant = { permission: 'Access Proxy System API', systems: 'all' } as const;
  return parseConfig(
    {
      listen: { port: 0 },
      admin: { port: 0 },
      patience: '5s',
      log: { level: 'error' },
      audit: { directory: 'audit', instance: 'demo', keyFile: 'keys/audit.key', ballast: '0B' },
      secretsFile: 'secrets.yaml',
      callers: {
        'identity-manager': { permissions: [{ ...grant, access: ['read', 'write'] }] },
        auditor: { permissions: [{ ...grant, access: ['read'] }] },
      },
      tenants: { acme: { embedded: { port: 0 }, pace: { minute, perMinute } } },
      systems: { [system]: { tenant: 'acme' } },
    },
    directory,
  );
}

const say = (text: string): void => void process.stdout.write(`${text}\n`);

let lastShown = 0;

/** On a terminal one line that is written over; elsewhere nothing but the results, which a log can hold. */
function showProgress(text: string): void {
  if (!process.stdout.isTTY || performance.now() - lastShown < 50) return;
  lastShown = performance.now();
  process.stdout.write(`\r\u001b[K    ${text}`);
}

function clearProgress(): void {
  if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
}
