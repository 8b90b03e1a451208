/** The callers of `gatehouse bench`, in a thread of their own so that they take no time of the gateway's. */
import http from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

import { post } from '../thread.ts';

export interface Work {
  readonly url: string;
  readonly authorization: string;
  readonly method: 'GET' | 'PUT';
  /** Below the base, one after the other. */
  readonly paths: readonly string[];
  readonly callers: number;
  readonly seconds: number;
}

export interface Done {
  /** In milliseconds, each call's. */
  readonly took: readonly number[];
  readonly seconds: number;
  /** Calls that were not answered with success. */
  readonly failed: number;
}

async function play({ url, authorization, method, paths, callers, seconds }: Work): Promise<Done> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: callers });
  const took: number[] = [];
  let failed = 0;
  let turn = 0;
  const begunAt = performance.now();
  const until = begunAt + seconds * 1000;
  const call = async (): Promise<void> => {
    const path = paths[turn % paths.length] ?? '';
    turn += 1;
    const sentAt = performance.now();
    const status = await send({ agent, url: `${url}${path}`, authorization, method });
    took.push(performance.now() - sentAt);
    if (status >= 400) failed += 1;
  };
  const caller = async (): Promise<void> => {
    while (performance.now() < until) await call();
  };
  await Promise.all(Array.from({ length: callers }, caller));
  agent.destroy();
  return { took, seconds: (performance.now() - begunAt) / 1000, failed };
}

interface Sending extends Pick<Work, 'url' | 'authorization' | 'method'> {
  readonly agent: http.Agent;
}

function send({ agent, url, authorization, method }: Sending): Promise<number> {
  // Everybody keeps a user name of his own.
  const body =
    method === 'PUT' ? JSON.stringify({ userName: new URL(url).pathname, active: true }) : undefined;
  const headers = { authorization, ...(body && { 'content-type': 'application/scim+json' }) };
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  http
    .request(url, { agent, method, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    })
    .once('error', reject)
    .end(body);
  return promise;
}

post(parentPort, await play(workerData as Work));
