/** `gatehouse bench`: what this machine and its disk carry, to size an installation before SAP is there. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { addSecret } from '../auth/secret-file.ts';
import { parseConfig, type Config } from '../gateway/config.ts';
import { createGateway } from '../gateway/gateway.ts';
import { proxyPath } from '../scim/endpoint.ts';
import { version } from '../version.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import type { Done, Work } from './bench-callers.ts';
import { startEmbedded } from './embedded.ts';

export const help = `usage: gatehouse bench [--directory DIR] [--callers N] [--seconds N] [--json]

Measures on this machine what one gateway carries, with log-on and a durable audit trail: reads that are remembered, reads
that go to the tenant, writes. The tenant is embedded and takes every call, so a real one's quota is not in the figures; it
and the callers take their share of the same cores.

  --directory DIR  where the trail is written: the disk that is measured (default: the temporary directory)
  --callers N      at the same time (16)
  --seconds N      for each measurement (5)
  --json           [{"what":…,"perSecond":…,"p50":…,"p99":…,"failed":…}], times in milliseconds

examples:
  gatehouse bench
  gatehouse bench --directory /var/lib/gatehouse --callers 64 --json

exit codes: 0 measured, 1 calls failed, 4 wrong usage
`;

const options = {
  directory: { type: 'string' },
  callers: { type: 'string', default: '16' },
  seconds: { type: 'string', default: '5' },
  json: { type: 'boolean' },
} as const;

const system = '5d0cbe5a-6a3f-4c55-9d0e-3c1f4b7a2e01';
const users = 1000;

interface Figures {
  readonly what: string;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly failed: number;
}

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help);
  if (!given) return 0;
  const { directory = tmpdir(), json = false } = given.values;
  const callers = numberOf('callers', given.values.callers);
  const seconds = numberOf('seconds', given.values.seconds);
  const place = await mkdtemp(join(directory, 'gatehouse-bench-'));
  try {
    const figures = await measure(place, { callers, seconds });
    process.stdout.write(json ? `${JSON.stringify(figures)}\n` : tableOf(figures, callers));
    return figures.some(({ failed }) => failed > 0) ? 1 : 0;
  } finally {
    await rm(place, { recursive: true });
  }
}

function numberOf(option: string, text: string): number {
  const value = Number(text);
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new WrongUsage(`--${option} is a number from 1 to 9999`, help);
  return value;
}

async function measure(place: string, by: Pick<Work, 'callers' | 'seconds'>): Promise<Figures[]> {
  const config = configure(place);
  const secret = await addSecret(config.secretsFile, 'bench');
  await using embedded = await startEmbedded(config);
  await using gateway = await createGateway(config, { version, upstreamsOf: embedded.upstreamsOf });
  const base = `${gateway.url}${proxyPath(system)}`;
  const authorization = `Basic ${Buffer.from(`bench:${secret}`).toString('base64')}`;
  const list = await fetch(`${base}/Users?count=100`, { headers: { authorization } });
  const { Resources } = (await list.json()) as { readonly Resources: readonly { readonly id: string }[] };
  const known = Resources.map(({ id }) => `/Users/${encodeURIComponent(id)}`);
  const anew = Array.from(
    { length: 50_000 },
    (_, n) => `/Users?startIndex=${1 + (n % users)}&count=${1 + (n % 7)}&bench=${n}`,
  );
  const play = async (what: string, method: Work['method'], paths: readonly string[]): Promise<Figures> =>
    figuresOf(what, await callFrom({ url: base, authorization, method, paths, ...by }));
  return [
    await play('reads that are remembered', 'GET', known),
    await play('reads at the tenant', 'GET', anew),
    await play('writes', 'PUT', known),
  ];
}

async function callFrom(work: Work): Promise<Done> {
  const worker = new Worker(new URL('./bench-callers.ts', import.meta.url), { workerData: work });
  const [done] = (await once(worker, 'message')) as [Done];
  return done;
}

function figuresOf(what: string, { took, seconds, failed }: Done): Figures {
  const sorted = took.toSorted((some, other) => some - other);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return { what, perSecond: Math.round(took.length / seconds), p50: at(0.5), p99: at(0.99), failed };
}

function tableOf(figures: readonly Figures[], callers: number): string {
  const rows = figures.map(
    ({ what, perSecond, p50, p99, failed }) =>
      `${what.padEnd(27)}${String(perSecond).padStart(9)}${`${p50.toFixed(1)} ms`.padStart(12)}${`${p99.toFixed(1)} ms`.padStart(12)}` +
      `${failed > 0 ? `   ${failed} failed` : ''}\n`,
  );
  const head = `${''.padEnd(27)}${'a second'.padStart(9)}${'median'.padStart(12)}${'p99'.padStart(12)}\n`;
  return `${callers} callers, ${availableParallelism()} cores\n${head}${rows.join('')}`;
}

function configure(directory: string): Config {
  const grant = { permission: 'Access Proxy System API', systems: 'all' } as const;
  const pace = {
    perMinute: 90_000,
    burst: 10_000,
    tenantLimit: 100_000,
    minute: '1s',
    concurrency: 256,
  };
  return parseConfig(
    {
      listen: { port: 0 },
      admin: { port: 0 },
      log: { level: 'error' },
      audit: { directory: 'audit', keyFile: 'audit.key', ballast: '0B' },
      secretsFile: 'secrets.yaml',
      callers: { bench: { permissions: [{ ...grant, access: ['read', 'write'] }] } },
      tenants: { acme: { embedded: { port: 0, users, groups: 10 }, pace } },
      systems: { [system]: { tenant: 'acme', pages: { blocks: 'off' } } },
    },
    directory,
  );
}
