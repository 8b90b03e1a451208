/** `gatehouse ips` as an administrator runs it: the tenant, its jobs, an export. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';

import { importSystem } from '../../src/ips/system-json.ts';

const main = resolve(import.meta.dirname, '../../src/main.ts');
const source = '7b6a5c4d-3e2f-4a1b-8c9d-0e1f2a3b4c5d';

interface Outcome {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

async function ips(...args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, [main, 'ips', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [closed, stdout, stderr] = await Promise.all([
    once(child, 'close'),
    text(child.stdout),
    text(child.stderr),
  ]);
  const [code, signal]: readonly unknown[] = closed;
  return { code: code ?? signal, stdout, stderr };
}

/** The tenant in a process of its own, once it has said where it is. */
async function startedIps(...args: readonly string[]) {
  const child = spawn(process.execPath, [main, 'ips', '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let said = '';
  for await (const line of createInterface({ input: child.stdout })) {
    said += `${line}\n`;
    if (/^ {2}[\w-]{36} {2}\S+$/.test(line)) break;
  }
  return {
    url: /http:\/\/[\d.]+:\d+/.exec(said)?.[0] ?? '',
    said,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null]);
    },
  };
}

test('jobs run in the tenant as it is delivered, and a repetition finds nothing to do', async () => {
  await using tenant = await startedIps();
  const job = (type: string) => ips('job', type, '--source', source, '--at', tenant.url);
  const simulated = await job('SIMULATE');
  assert.equal(simulated.code, 0, simulated.stderr);
  assert.match(simulated.stdout, /^SIMULATE \w+ \(full read\): Success$/m);
  const [created] = /Users Shop\.target +created \d+/.exec(simulated.stdout) ?? ['nothing'];
  const read = await job('READ');
  assert.ok(read.stdout.includes(created), read.stdout);
  assert.match(read.stdout, /Groups Shop\.target +created 8/);
  const again = await job('READ');
  assert.deepEqual([again.code, again.stdout.includes('Shop.target')], [0, false]);
  assert.match((await job('RESYNC')).stdout, /Users Shop\.target +updated \d+/);
});

test('a job that finishes with an error is told with exit code 1', async () => {
  await using tenant = await startedIps();
  const faults = [{ fault: { kind: 'backend-status', status: 500 }, path: source, times: 1 }];
  await fetch(`${tenant.url}/rehearsal/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(faults),
  });
  const { code, stdout } = await ips('job', 'READ', '--source', source, '--at', tenant.url);
  assert.equal(code, 1);
  assert.match(stdout, /Finished with Error\n {2}HTTP operation failed with statusCode: 500\n/);
});

test('a job of an unknown source, and a tenant that is not there, are told', async () => {
  await using tenant = await startedIps();
  const unknown = await ips('job', 'READ', '--source', 'none', '--at', tenant.url);
  assert.deepEqual([unknown.code, unknown.stderr], [1, 'gatehouse: There is no such source system.\n']);
  const absent = await ips('job', 'READ', '--source', source, '--at', 'http://127.0.0.1:1');
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /no tenant answers at http:\/\/127\.0\.0\.1:1/);
});

test('a switch gives the first directory as many users as it says', async () => {
  await using tenant = await startedIps('--users', '20000');
  const [, clientId, secret] = /^ {2}([\w-]{36}) {2}(\S+)$/m.exec(tenant.said) ?? [];
  const bases = tenant.said.match(/http:\S+scim\S+/g) ?? [];
  const headers = { authorization: `Basic ${btoa(`${clientId}:${secret}`)}` };
  const totals = bases.map(async (base) => {
    const list: unknown = await (await fetch(`${base}/Users?startIndex=20001&count=1`, { headers })).json();
    return Number(Reflect.get(Object(list), 'totalResults'));
  });
  assert.deepEqual(await Promise.all(totals), [20_000, 200, 300]);
});

test('an exported system is what Identity Provisioning imports, and unknown ones are refused', async () => {
  const exported = await ips('export', '--system', 'c3b1a0d9-4e5f-4f60-8a7b-9c0d1e2f3a04');
  const { system } = importSystem(exported.stdout);
  assert.deepEqual([exported.code, system.name, system.role], [0, 'ERP', 'proxy']);
  assert.ok(system.readTransformation && system.writeTransformation);
  assert.equal((await ips('export', '--system', 'none')).code, 1);
});

test('wrong usage is told with exit code 4', async () => {
  const wrong = [
    ['job', 'WRITE', '--source', source],
    ['job', 'READ'],
    ['--users', '100001'],
    ['export', 'it'],
  ];
  for (const args of wrong) assert.equal((await ips(...args)).code, 4, args.join(' '));
  assert.equal((await ips('job', '--help')).code, 0);
});
