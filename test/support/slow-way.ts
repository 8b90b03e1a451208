/** A way to a server on which what the server says takes its time; what it is told comes at once, and an end too. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface SlowWay extends AsyncDisposable {
  readonly port: number;
  delayMs: number;
}

export async function openSlowWay(port: number, delayMs: number): Promise<SlowWay> {
  const way = { delayMs };
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    sockets.push(near, far);
    for (const socket of [near, far]) socket.on('error', () => socket.destroy());
    near.pipe(far);
    far.on('data', (chunk: Buffer) => void setTimeout(() => near.write(chunk), way.delayMs).unref());
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return Object.assign(way, {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await server[Symbol.asyncDispose]();
    },
  });
}
