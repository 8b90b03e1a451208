/** The gateway as a process before a tenant that answers at once, with nothing that a call waits for. */
import { mkdtempDisposable } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startChild } from '../test/support/child.ts';
import { systemId } from '../test/support/gateway.ts';
import { prepareInstallation } from '../test/support/installation.ts';
import { sendScim, startUpstream } from '../test/support/upstream.ts';
import type { Caller } from './pairs.ts';

export interface Service extends Caller, AsyncDisposable {
  readonly port: number;
}

const resource = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'x'.repeat(1500) };

/** @param prepare may change what is in the directory of the configuration */
export async function startService(
  prepare: (directory: string) => Promise<void> = async () => {},
): Promise<Service> {
  await using starting = new AsyncDisposableStack();
  const upstream = starting.use(
    await startUpstream({
      answer: (_request, response) => sendScim(response, 200, resource),
      remembers: false,
    }),
  );
  const directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-bench-'));
  starting.defer(() => directory.remove());
  const { file, authorization } = await prepareInstallation(directory.path, upstream.url);
  await prepare(directory.path);
  const gateway = await startChild(file);
  starting.defer(async () => void (await gateway.end('SIGTERM')));
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  starting.defer(() => agent.destroy());
  const running = starting.move();
  return {
    url: `${gateway.url}/ipsproxy/service/api/v1/scim/${systemId}/Users`,
    port: Number(new URL(gateway.url).port),
    authorization,
    agent,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}
