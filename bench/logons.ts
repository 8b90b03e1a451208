/**
 * What a thousand bad log-ons a second from one source cost a caller that is in the right: its p99 without and with them,
 * in pairs that follow each other, so that a machine that changes its pace changes it for both.
 *
 *   node bench/logons.ts [seconds per measurement, default 4]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { stringify } from 'yaml';

import { generateSecret, hashSecret } from '../src/auth/secret.ts';
import { startChild } from '../test/support/child.ts';
import { systemId } from '../test/support/gateway.ts';
import { prepareInstallation } from '../test/support/installation.ts';
import { sendScim, startUpstream } from '../test/support/upstream.ts';

const seconds = Number(process.argv[2] ?? 4);
const pairs = 5;
const callsPerSecond = 100;
const guessesPerSecond = 1000;

interface Figures {
  readonly p50: number;
  readonly p99: number;
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });

function call(url: string, authorization: string): Promise<void> {
  const { promise, resolve: done, reject } = Promise.withResolvers<void>();
  http
    .get(url, { agent, headers: { authorization } }, (response) => {
      response.resume().once('end', () => {
        if (response.statusCode === 200) done();
        else reject(new Error(`the caller was answered with ${response.statusCode}`));
      });
    })
    .once('error', reject);
  return promise;
}

/** Calls begin at a fixed rate whether or not earlier ones have ended, and their time counts from when they were due. */
async function measure(url: string, authorization: string): Promise<Figures> {
  const startedAt = performance.now();
  const times: Promise<number>[] = [];
  for (let n = 0; n < seconds * callsPerSecond; n += 1) {
    const dueAt = startedAt + (n * 1000) / callsPerSecond;
    await sleep(Math.max(0, dueAt - performance.now()));
    times.push(call(`${url}/${n}`, authorization).then(() => performance.now() - dueAt));
  }
  const sorted = (await Promise.all(times)).toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

interface Flood {
  readonly perSecond: number;
  readonly answers: Readonly<Record<string, number>>;
}

async function flooded<T>(url: string, work: () => Promise<T>): Promise<[T, Flood]> {
  const script = resolve(import.meta.dirname, 'flood.ts');
  const flood = spawn(process.execPath, [script, url, String(guessesPerSecond)]);
  const told = once(flood.stdout, 'data');
  await sleep(700); // for the process to start, and the first guesses to be used up
  const result = await work();
  flood.kill('SIGTERM');
  const [line] = (await told) as [Buffer];
  return [result, JSON.parse(line.toString())];
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const resource = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'x'.repeat(1500) };
await using upstream = await startUpstream({
  answer: (_request, response) => sendScim(response, 200, resource),
  remembers: false,
});
const directory = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
const { file } = await prepareInstallation(directory, upstream.url);
const secrets = { generated: generateSecret(), chosen: 'chosen by people, kept as argon2id' };
const hashes = await Promise.all(Object.values(secrets).map(hashSecret));
await writeFile(join(directory, 'secrets.yaml'), stringify({ caller: hashes.map((hash) => ({ hash })) }), {
  mode: 0o600,
});
const gateway = await startChild(file);
const url = `${gateway.url}/ipsproxy/service/api/v1/scim/${systemId}/Users`;

const rows: string[] = [];
for (const [kind, secret] of Object.entries(secrets)) {
  const authorization = `Basic ${Buffer.from(`caller:${secret}`).toString('base64')}`;
  await measure(url, authorization);
  const quiet: Figures[] = [];
  const loud: Figures[] = [];
  const floods: Flood[] = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    process.stderr.write(`\r\u001b[K${kind} secret: pair ${pair} of ${pairs}`);
    quiet.push(await measure(url, authorization));
    const [figures, flood] = await flooded(`${url}/0`, () => measure(url, authorization));
    loud.push(figures);
    floods.push(flood);
    await sleep(500);
  }
  const rises = loud.map(({ p99 }, at) => p99 - (quiet[at]?.p99 ?? 0));
  const answers = JSON.stringify(floods.at(-1)?.answers);
  rows.push(
    kind.padEnd(12) +
      [
        median(quiet.map(({ p50 }) => p50)),
        median(loud.map(({ p50 }) => p50)),
        median(quiet.map(({ p99 }) => p99)),
        median(loud.map(({ p99 }) => p99)),
        median(rises),
      ]
        .map((ms) => ms.toFixed(1).padStart(11))
        .join('') +
      `${median(floods.map(({ perSecond }) => perSecond)).toFixed(0)}/s`.padStart(10) +
      `  ${answers}`,
  );
}
process.stderr.write('\r\u001b[K');
console.log(
  `${callsPerSecond} reads a second, medians of ${pairs} pairs of ${seconds} s, milliseconds; the target is a rise of p99 by 10 at most\n`,
);
console.log(
  'secret      ' +
    ['p50 alone', 'p50 beside', 'p99 alone', 'p99 beside', 'p99 rise']
      .map((name) => name.padStart(11))
      .join('') +
    'guesses'.padStart(10) +
    '  answers in the last pair',
);
console.log(rows.join('\n'));
await gateway.end('SIGTERM');
agent.destroy();
await rm(directory, { recursive: true });
