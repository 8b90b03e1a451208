/**
 * What somebody else's doing costs a caller that is in the right: its times without and with it, in pairs that follow
 * each other, so that a machine that changes its pace changes it for both.
 */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Figures {
  readonly p50: number;
  readonly p99: number;
}

export interface Caller {
  readonly url: string;
  readonly authorization: string;
  readonly agent: http.Agent;
  /** With a body it writes, and reads without. */
  readonly bodyOf?: (number: number) => string;
}

export interface Pace {
  readonly seconds: number;
  readonly callsPerSecond: number;
}

/** Calls begin at a fixed rate whether or not earlier ones have ended, and their time counts from when they were due. */
export async function measure(caller: Caller, { seconds, callsPerSecond }: Pace): Promise<Figures> {
  const startedAt = performance.now();
  const times: Promise<number>[] = [];
  for (let n = 0; n < seconds * callsPerSecond; n += 1) {
    const dueAt = startedAt + (n * 1000) / callsPerSecond;
    await sleep(Math.max(0, dueAt - performance.now()));
    times.push(call(caller, n).then(() => performance.now() - dueAt));
  }
  const sorted = (await Promise.all(times)).toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

function call({ url, authorization, agent, bodyOf }: Caller, number: number): Promise<void> {
  const { promise, resolve: done, reject } = Promise.withResolvers<void>();
  const written = bodyOf && {
    method: 'PUT',
    headers: { authorization, 'content-type': 'application/scim+json' },
  };
  http
    .request(`${url}/${number}`, { agent, headers: { authorization }, ...written }, (response) => {
      let told = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (told += chunk));
      response.once('end', () => {
        if (response.statusCode === 200) done();
        else reject(new Error(`the caller was answered with ${response.statusCode}: ${told}`));
      });
    })
    .once('error', reject)
    .end(bodyOf?.(number));
  return promise;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

export interface Pairs {
  readonly alone: readonly Figures[];
  readonly beside: readonly Figures[];
}

/** @param disturbed runs its argument while the other does what is to be measured */
export async function inPairs(
  count: number,
  measureOnce: () => Promise<Figures>,
  disturbed: (work: () => Promise<Figures>) => Promise<Figures>,
  tell: (pair: number) => void,
): Promise<Pairs> {
  await measureOnce(); // what is slow only at the first time belongs to neither
  const alone: Figures[] = [];
  const beside: Figures[] = [];
  for (let pair = 1; pair <= count; pair += 1) {
    tell(pair);
    alone.push(await measureOnce());
    beside.push(await disturbed(measureOnce));
    await sleep(500);
  }
  return { alone, beside };
}

const columns = ['p50 alone', 'p50 beside', 'p99 alone', 'p99 beside', 'p99 rise', 'in %'];

export function heading(first: string): string {
  return first.padEnd(12) + columns.map((name) => name.padStart(11)).join('');
}

export function row(name: string, { alone, beside }: Pairs): string {
  const rises = beside.map(({ p99 }, at) => p99 - (alone[at]?.p99 ?? 0));
  const shares = beside.map(({ p99 }, at) => (p99 / (alone[at]?.p99 ?? p99) - 1) * 100);
  const values = [
    median(alone.map(({ p50 }) => p50)),
    median(beside.map(({ p50 }) => p50)),
    median(alone.map(({ p99 }) => p99)),
    median(beside.map(({ p99 }) => p99)),
    median(rises),
    median(shares),
  ];
  return name.padEnd(12) + values.map((value) => value.toFixed(1).padStart(11)).join('');
}
