/**
 * Who is at the other end of a connection: the one place that says so. Nobody else reads a socket's address, because
 * behind a proxy that announces its callers it is not theirs, and a socket that has closed knows none.
 */
import { isIPv6, SocketAddress, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { plainAddress } from '../auth/network.ts';
import type { Source } from '../scim/call.ts';

const peers = new WeakMap<Duplex, Source>();

/** What TLS stands on, which alone was known when the connection began; undocumented, hence optional. */
interface Upon {
  readonly _parent?: Duplex | null;
}

/** The end that the system knows; with a proxy in between, the proxy. */
export function nearEnd({
  remoteAddress: ip = '',
  remotePort: port = 0,
}: Pick<Socket, 'remoteAddress' | 'remotePort'>): Source {
  return { ip: canonicalAddress(ip), port };
}

export function introduce(socket: Socket, peer: Source): void {
  peers.set(socket, peer);
}

/** @param socket as it was accepted, or the TLS socket on it */
export function peerOf(socket: Duplex): Source {
  const { _parent: below } = socket as Upon;
  return peers.get(socket) ?? (below && peers.get(below)) ?? nearEnd(socket as Socket);
}

/** One spelling for each address, so that two of one party count as one. */
export function canonicalAddress(ip: string): string {
  const address = plainAddress(ip);
  if (!isIPv6(address)) return address;
  return plainAddress(new SocketAddress({ address, family: 'ipv6' }).address);
}
