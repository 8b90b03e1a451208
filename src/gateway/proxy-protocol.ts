/**
 * Reads the header with which a load balancer announces whom it connects: the PROXY protocol, version 2, of HAProxy's
 * specification. Invariant: not one byte behind the header is taken, because TLS or HTTP begins there.
 */
import type { Socket } from 'node:net';

import type { Source } from '../scim/call.ts';
import { canonicalAddress, nearEnd } from './peer.ts';

/** Its code is told in the trail. */
export class ProxyFault extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`The announcement of a connection is not sound (${code}).`);
    this.code = code;
  }
}

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const headBytes = 16;
/** The longest addresses (216, of Unix sockets) and 320 bytes of further values, which nobody here reads. */
const maxBytes = 536;
const local = 0x20;
const proxy = 0x21;
const tcpOverIPv4 = 0x11;
const tcpOverIPv6 = 0x21;

/** Whom the connection comes from. Throws `ProxyFault`; then nothing can be made of the connection. */
export async function readAnnouncement(socket: Socket, timeMs: number): Promise<Source> {
  const { promise, resolve, reject } = Promise.withResolvers<Source>();
  const fail = (code: string) => (): void => reject(new ProxyFault(code));
  const broken = fail('proxy-header-incomplete');
  let head: Head | undefined;
  const advance = (): void => {
    try {
      head ??= readHead(take(socket, headBytes));
      const addresses = head && take(socket, head.length);
      if (!head || !addresses) return;
      // At once: what comes from now on is not ours to read.
      socket.off('readable', advance);
      resolve(sourceOf(socket, head, addresses));
    } catch (error) {
      reject(error);
    }
  };
  const timer = setTimeout(fail('proxy-header-timeout'), timeMs);
  const endings = ['end', 'close', 'error'] as const;
  for (const ending of endings) socket.on(ending, broken);
  socket.on('readable', advance);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.off('readable', advance);
    for (const ending of endings) socket.off(ending, broken);
  }
}

/** Exactly so many bytes; undefined until they have arrived. What comes behind stays in the socket. */
function take(socket: Socket, bytes: number): Buffer | undefined {
  if (bytes === 0) return Buffer.alloc(0);
  const taken: Buffer | null = socket.read(bytes);
  // At its end a stream gives the rest, however short.
  if (taken && taken.length < bytes) throw new ProxyFault('proxy-header-incomplete');
  return taken ?? undefined;
}

interface Head {
  readonly command: number;
  readonly family: number;
  /** Of what follows. */
  readonly length: number;
}

function readHead(head: Buffer | undefined): Head | undefined {
  if (!head) return undefined;
  if (!head.subarray(0, signature.length).equals(signature)) throw new ProxyFault('proxy-header-missing');
  const command = head.readUInt8(12);
  const length = head.readUInt16BE(14);
  if (command !== local && command !== proxy) throw new ProxyFault('proxy-header-malformed');
  if (length > maxBytes) throw new ProxyFault('proxy-header-too-long');
  return { command, family: head.readUInt8(13), length };
}

function sourceOf(socket: Socket, { command, family }: Head, addresses: Buffer): Source {
  const balancer = nearEnd(socket);
  // Then it looks whether somebody is here, on nobody's behalf.
  if (command === local) return balancer;
  return { ...readSource(family, addresses), via: [balancer.ip] };
}

function readSource(family: number, bytes: Buffer): Source {
  const size = { [tcpOverIPv4]: 4, [tcpOverIPv6]: 16 }[family];
  if (size === undefined) throw new ProxyFault('proxy-header-family');
  // Two addresses and two ports: whence, whereto.
  if (bytes.length < 2 * size + 4) throw new ProxyFault('proxy-header-malformed');
  const address = bytes.subarray(0, size);
  const ip = size === 4 ? address.join('.') : canonicalAddress(groupsOf(address).join(':'));
  return { ip, port: bytes.readUInt16BE(2 * size) };
}

function groupsOf(address: Buffer): string[] {
  return Array.from({ length: 8 }, (_, at) => address.readUInt16BE(2 * at).toString(16));
}
