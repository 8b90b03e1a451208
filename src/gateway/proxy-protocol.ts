/**
 * Reads the header with which a load balancer announces whom it connects: the PROXY protocol, version 2, of HAProxy's
 * specification. Invariant: not one byte behind the header is taken, because TLS or HTTP begins there.
 */
import { once } from 'node:events';
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
  const over = new AbortController();
  const fail = (code: string) => (): void => over.abort(new ProxyFault(code));
  const broken = fail('proxy-header-incomplete');
  const timer = setTimeout(fail('proxy-header-timeout'), timeMs);
  const endings = ['end', 'close', 'error'] as const;
  for (const ending of endings) socket.on(ending, broken);
  try {
    const { command, family, length } = readHead(await take(socket, headBytes, over.signal));
    const addresses = length === 0 ? Buffer.alloc(0) : await take(socket, length, over.signal);
    // The balancer itself: it looks whether somebody is here.
    if (command === local) return nearEnd(socket);
    return { ...readSource(family, addresses), via: [nearEnd(socket).ip] };
  } finally {
    clearTimeout(timer);
    for (const ending of endings) socket.off(ending, broken);
  }
}

/** Exactly so many bytes; what comes behind stays in the socket. */
async function take(socket: Socket, bytes: number, over: AbortSignal): Promise<Buffer> {
  for (;;) {
    over.throwIfAborted();
    const taken: Buffer | null = socket.read(bytes);
    if (taken?.length === bytes) return taken;
    // At its end a stream gives the rest, however short.
    if (taken) throw new ProxyFault('proxy-header-incomplete');
    await once(socket, 'readable', { signal: over }).catch((error: unknown) => {
      over.throwIfAborted();
      throw error;
    });
  }
}

function readHead(head: Buffer): { command: number; family: number; length: number } {
  if (!head.subarray(0, signature.length).equals(signature)) throw new ProxyFault('proxy-header-missing');
  const command = head.readUInt8(12);
  const length = head.readUInt16BE(14);
  if (command !== local && command !== proxy) throw new ProxyFault('proxy-header-malformed');
  if (length > maxBytes) throw new ProxyFault('proxy-header-too-long');
  return { command, family: head.readUInt8(13), length };
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
