/**
 * Reads single users over kept connections as fast as they are answered, or at a fixed rate, in a thread of its own. It
 * speaks HTTP on bare sockets, so that it takes less of the machine than whom it measures.
 */
import { connect, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

import { post } from '../src/thread.ts';

export interface Reading {
  readonly base: string;
  readonly authorization: string;
  readonly ids: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  /** Over all connections; as many as are answered when absent. */
  readonly perSecond?: number | undefined;
}

export interface Readings {
  readonly perSecond: number;
  /** Milliseconds, at a fixed rate counted from when the read was due. */
  readonly p50: number;
  readonly p99: number;
}

const { base, authorization, ids, connections, seconds, perSecond }: Reading = workerData;
const { hostname, port, pathname, host } = new URL(base);
const requests = ids.map((id) =>
  Buffer.from(
    `GET ${pathname}/Users/${id} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${authorization}\r\n\r\n`,
  ),
);
const times: number[] = [];
let read = 0;

const startedAt = performance.now();
const until = startedAt + seconds * 1000;
await Promise.all(Array.from({ length: connections }, (_, number) => readOn(number)));
const sorted = Float64Array.from(times).toSorted();
const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
const figures: Readings = {
  perSecond: (times.length * 1000) / (performance.now() - startedAt),
  p50: at(0.5),
  p99: at(0.99),
};
post(parentPort, figures);

/** One read after the other; a connection that the server closes after an answer is opened again. */
function readOn(number: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const everyMs = perSecond === undefined ? 0 : (connections * 1000) / perSecond;
  let dueAt = startedAt + (number * everyMs) / connections;
  let socket = open();
  let received = '';
  function open(): Socket {
    return connect(Number(port), hostname).setNoDelay().on('data', take).once('error', reject);
  }
  function ask(): void {
    if (performance.now() >= until) {
      socket.destroy();
      resolve();
      return;
    }
    // A timer may be a little early.
    dueAt = everyMs === 0 ? performance.now() : Math.min(dueAt, performance.now());
    read += 1;
    socket.write(requests[read % requests.length] ?? '');
  }
  function askWhenDue(): void {
    dueAt += everyMs;
    const inMs = dueAt - performance.now();
    if (everyMs > 0 && inMs > 1) setTimeout(ask, inMs);
    else ask();
  }
  function take(chunk: Buffer): void {
    received += chunk.toString('latin1');
    const bodyAt = received.indexOf('\r\n\r\n') + 4;
    if (bodyAt < 4) return;
    const head = received.slice(0, bodyAt).toLowerCase();
    const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1]);
    if (received.length - bodyAt < length) return;
    received = '';
    times.push(performance.now() - dueAt);
    if (!head.startsWith('http/1.1 200 ') || Number.isNaN(length))
      return reject(new Error(`a read was answered with ${head.slice(0, 100)}`));
    if (head.includes('\r\nconnection: close')) {
      socket.destroy();
      socket = open();
    }
    askWhenDue();
  }
  askWhenDue();
  return promise;
}
