/** A small receiver of syslog over TLS (RFC 5425) on a free port of the loopback; it answers the end of a connection with its own, unless told otherwise. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:tls';

import type { CertificateAndKey } from './certificate.ts';

export interface SyslogReceiver extends AsyncDisposable {
  readonly port: number;
  /** Whole messages, without the count before them. */
  readonly messages: string[];
}

export async function startSyslogReceiver(
  { certificate, key }: CertificateAndKey,
  { answersEnd = true } = {},
): Promise<SyslogReceiver> {
  const messages: string[] = [];
  const open = new Set<Socket>();
  const server = createServer({ cert: certificate, key, allowHalfOpen: !answersEnd }, (socket) => {
    socket.on('error', () => socket.destroy());
    let bytes = Buffer.alloc(0);
    socket.on('data', (more: Buffer) => {
      bytes = Buffer.concat([bytes, more]);
      for (let frame; (frame = frameIn(bytes)); bytes = bytes.subarray(frame.length))
        messages.push(frame.text);
    });
  });
  server.on('connection', (socket: Socket) => open.add(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    messages,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function frameIn(bytes: Buffer): { readonly text: string; readonly length: number } | undefined {
  const blank = bytes.indexOf(' ');
  const length = blank + 1 + Number(bytes.subarray(0, blank));
  if (blank < 1 || bytes.length < length) return undefined;
  return { text: bytes.subarray(blank + 1, length).toString(), length };
}
