/**
 * What the line costs: the gateway against the bare stack it is built from and against no gateway at all, in one
 * run and in turns, so that a machine that changes its pace changes it for all. Figures to quote are the ratios.
 *
 *   node bench/line.ts [seconds per measurement, default 2]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { startChild } from '../test/support/child.ts';
import { systemId } from '../test/support/gateway.ts';
import { prepareInstallation } from '../test/support/installation.ts';
import { sendScim, startUpstream } from '../test/support/upstream.ts';

const seconds = Number(process.argv[2] ?? 2);
const rounds = 3;
const concurrency = 32;

interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

interface Subject {
  readonly name: string;
  readonly call: (n: number) => Promise<void>;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: concurrency });

function call(url: string, method: string, authorization: string, body?: string): Promise<void> {
  const { promise, resolve: done, reject } = Promise.withResolvers<void>();
  const headers = {
    authorization,
    ...(body && { 'content-type': 'application/scim+json', 'content-length': body.length }),
  };
  const request = http.request(url, { method, agent, headers }, (response) => {
    response.resume().once('end', () => {
      if (response.statusCode === 200) done();
      else reject(new Error(`${method} was answered with ${response.statusCode}`));
    });
  });
  request.once('error', reject).end(body);
  return promise;
}

async function measure({ call: once_ }: Subject): Promise<Figures> {
  const latencies: number[] = [];
  const until = performance.now() + seconds * 1000;
  let n = 0;
  const work = async (): Promise<void> => {
    while (performance.now() < until) {
      const startedAt = performance.now();
      await once_((n += 1));
      latencies.push(performance.now() - startedAt);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, work));
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { perSecond: (sorted.length * 1000) / (performance.now() - startedAt), p50: at(0.5), p99: at(0.99) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function residentMiB(pid: number | undefined): number {
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}

const resource = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'x'.repeat(1500) };
await using upstream = await startUpstream({
  answer: (_request, response) => sendScim(response, 200, resource),
  remembers: false,
});
const directory = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
const { file, authorization } = await prepareInstallation(directory, upstream.url);
const gateway = await startChild(file);
const peer = spawn(process.execPath, [resolve(import.meta.dirname, 'peer.ts'), upstream.url]);
const [line] = await once(peer.stdout, 'data');
const peerUrl = String(line).trim();
const path = `/ipsproxy/service/api/v1/scim/${systemId}/Users`;
const body = JSON.stringify({ userName: 'y'.repeat(1500) });

const subjects: Subject[] = [
  { name: 'tenant alone, read', call: (n) => call(`${upstream.url}${path}/${n}`, 'GET', authorization) },
  { name: 'bare stack, read', call: (n) => call(`${peerUrl}${path}/${n}`, 'GET', authorization) },
  { name: 'gateway, read (miss)', call: (n) => call(`${gateway.url}${path}/${n}`, 'GET', authorization) },
  { name: 'gateway, read (hit)', call: () => call(`${gateway.url}${path}/0`, 'GET', authorization) },
  { name: 'bare stack, write', call: (n) => call(`${peerUrl}${path}/${n}`, 'PUT', authorization, body) },
  { name: 'gateway, write', call: (n) => call(`${gateway.url}${path}/${n}`, 'PUT', authorization, body) },
];

const results = new Map<string, Figures[]>();
for (let round = 0; round <= rounds; round += 1)
  for (const subject of subjects) {
    process.stderr.write(
      `\r\u001b[K${round === 0 ? 'warm-up' : `round ${round} of ${rounds}`}: ${subject.name}`,
    );
    const figures = await measure(subject);
    if (round > 0) results.set(subject.name, [...(results.get(subject.name) ?? []), figures]);
  }
process.stderr.write('\r\u001b[K');

const of = (name: string, key: keyof Figures): number =>
  median((results.get(name) ?? []).map((each) => each[key]));
const peerOf = (name: string): string => (name.includes('write') ? 'bare stack, write' : 'bare stack, read');
console.log(`${concurrency} callers, 1.5 kB, medians of ${rounds} rounds of ${seconds} s\n`);
console.log(
  `${'subject'.padEnd(24)}${'calls/s'.padStart(10)}${'p50 ms'.padStart(9)}${'p99 ms'.padStart(9)}${'to bare stack'.padStart(15)}`,
);
for (const { name } of subjects) {
  const ratio = of(name, 'perSecond') / of(peerOf(name), 'perSecond');
  console.log(
    `${name.padEnd(24)}${of(name, 'perSecond').toFixed(0).padStart(10)}${of(name, 'p50').toFixed(1).padStart(9)}` +
      `${of(name, 'p99').toFixed(1).padStart(9)}${ratio.toFixed(2).padStart(15)}`,
  );
}
console.log(
  `\nresident memory afterwards: gateway ${residentMiB(gateway.process.pid).toFixed(0)} MiB, ` +
    `bare stack ${residentMiB(peer.pid).toFixed(0)} MiB`,
);
peer.kill();
await gateway.end('SIGTERM');
agent.destroy();
await rm(directory, { recursive: true });
