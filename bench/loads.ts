/**
 * What an identity manager's loads cost of the tenant's quota, directly and through Gatehouse: the initial load of all
 * users and groups at 25 a page, a read of each user, and the load again ten minutes later. Against the embedded tenant
 * with its real limits, on a clock that runs faster; windows, delays, freshness and patience all shrink by one factor.
 * A refused or failed operation is repeated three times, a second of the tenant's clock apart, and then counts as failed.
 *
 *   node bench/loads.ts [users, default 20000] [groups, default 500] [direct or gatehouse, default both]
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { Secret } from '../src/gateway/secret.ts';
import type { Tenant } from '../src/ips/tenant.ts';
import { basic, clientId, proxyId, secret, startedTenant } from '../test/ips/started-tenant.ts';
import { startGateway } from '../test/support/gateway.ts';

const users = Number(process.argv[2] ?? 20_000);
const groups = Number(process.argv[3] ?? 500);
const only = process.argv[4];
const workers = 16;
const repeats = 3;
const factors = { direct: 60, gatehouse: 5 };
const freshMinutes = 30;
const minutesBetween = 10;

interface Way {
  readonly base: string;
  readonly authorization: string;
  readonly tenant: Tenant;
  readonly factor: number;
}

interface Costs {
  readonly up: number;
  readonly refused: number;
  readonly failed: number;
  /** On the tenant's clock. */
  readonly seconds: number;
}

interface Tally {
  refused: number;
  failed: number;
}

interface Page {
  readonly itemsPerPage: number;
  readonly totalResults: number;
  readonly Resources: readonly { readonly id: string }[];
}

async function ask<T>(
  { base, authorization, factor }: Way,
  tally: Tally,
  path: string,
): Promise<T | undefined> {
  for (let attempt = 0; attempt <= repeats; attempt += 1) {
    if (attempt > 0) await sleep(1000 / factor);
    const response = await fetch(base + path, { headers: { authorization } });
    const body = await response.text();
    if (response.status === 200) return JSON.parse(body) as T;
    if (response.status === 429) tally.refused += 1;
  }
  tally.failed += 1;
  return undefined;
}

/** As SAP documents it: on by `itemsPerPage` until `totalResults` is reached. A page that failed is left out. */
async function load(way: Way, tally: Tally, type: string): Promise<string[]> {
  const ids: string[] = [];
  for (let startIndex = 1, total = 1; startIndex <= total;) {
    const page = await ask<Page>(way, tally, `/${type}?startIndex=${startIndex}`);
    ids.push(...(page?.Resources ?? []).map(({ id }) => id));
    startIndex += page?.itemsPerPage ?? 25;
    // Whoever does not know the end goes on.
    total = page?.totalResults ?? Math.max(total, startIndex < users ? startIndex : 0);
  }
  return ids;
}

async function readEach(way: Way, tally: Tally, ids: readonly string[]): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < ids.length) await ask(way, tally, `/Users/${ids[next++]}`);
  };
  await Promise.all(Array.from({ length: workers }, work));
}

async function measure(name: string, way: Way, work: (tally: Tally) => Promise<void>): Promise<void> {
  process.stderr.write(`\r\u001b[K${name}`);
  const tally: Tally = { refused: 0, failed: 0 };
  const before = way.tenant.figures.calls;
  const startedAt = performance.now();
  await work(tally);
  const seconds = ((performance.now() - startedAt) * way.factor) / 1000;
  tell(name, { ...tally, up: way.tenant.figures.calls - before, seconds });
}

function tell(name: string, { up, refused, failed, seconds }: Costs): void {
  process.stderr.write('\r\u001b[K');
  const minutes = (seconds / 60).toFixed(1);
  const cells = [up, refused, failed].map((each) => String(each).padStart(11)).join('');
  console.log(`${name.padEnd(42)}${cells}${minutes.padStart(11)}`);
}

async function startWay(kind: keyof typeof factors) {
  const factor = factors[kind];
  const minuteMs = 60_000 / factor;
  const starting = new AsyncDisposableStack();
  const { tenant } = starting.use(
    await startedTenant({
      limiter: { slowAt: 150, refuseAt: 200, minuteMs, delayMs: 1000 / factor },
      systems: [{ id: proxyId, backend: { kind: 'directory', users, groups } }],
    }),
  );
  const direct = `${tenant.url.origin}/ipsproxy/service/api/v1/scim/${proxyId}`;
  if (kind === 'direct') return { starting, way: { base: direct, authorization: basic, tenant, factor } };
  const gateway = starting.use(
    await startGateway({
      upstream: tenant.url.origin,
      tenant: {
        credential: { type: 'basic', user: clientId, secret: new Secret(secret) },
        pace: { minute: `${minuteMs}ms` },
        deadlines: { read: `${30_000 / factor}ms` },
      },
      system: { id: proxyId },
      config: {
        cache: { lifetime: `${(freshMinutes * 60) / factor}s`, memory: { size: '512MiB' } },
        patience: `${50_000 / factor}ms`,
      },
    }),
  );
  const way: Way = { base: gateway.base, authorization: gateway.logOn(), tenant, factor };
  return { starting, way };
}

console.log(`${users} users, ${groups} groups, 25 a page; ${workers} workers read single users\n`);
console.log(`${''.padEnd(42)}   calls up   429 seen     failed    minutes`);
for (const kind of ['direct', 'gatehouse'] as const) {
  if (only !== undefined && only !== kind) continue;
  const { starting, way } = await startWay(kind);
  await using _ = starting;
  let ids: string[] = [];
  const loadAll = async (tally: Tally): Promise<void> => {
    ids = await load(way, tally, 'Users');
    const all = ids.length + (await load(way, tally, 'Groups')).length;
    if (tally.failed === 0 && all !== users + groups) throw new Error(`${all} resources were loaded`);
  };
  await measure(`${kind}: (a) initial load`, way, loadAll);
  const loadedAt = performance.now();
  await measure(`${kind}: (c) a GET for each user`, way, (tally) => readEach(way, tally, ids));
  if (kind === 'gatehouse')
    await sleep(Math.max(0, loadedAt + (minutesBetween * 60_000) / way.factor - performance.now()));
  await measure(`${kind}: (b) the load again`, way, loadAll);
}
