/**
 * Who is at the other end of a connection: the one place that says so. Nobody else reads a socket's address, because
 * behind a proxy that announces its callers it is not theirs, and a socket that has closed knows none.
 */
import { isIPv6, SocketAddress, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { plainAddress } from '../auth/network.ts';
import type { Source } from '../scim/call.ts';
import type { Guest } from './room.ts';

const peers = new WeakMap<Duplex, Source>();
const guests = new WeakMap<Duplex, Guest>();

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
  return find(peers, socket) ?? nearEnd(socket as Socket);
}

export function seat(socket: Socket, guest: Guest): void {
  guests.set(socket, guest);
}

/** The place that the connection has; undefined for one that did not come through a listener for callers. */
export function guestOn(socket: Duplex): Guest | undefined {
  return find(guests, socket);
}

function find<Found>(all: WeakMap<Duplex, Found>, socket: Duplex): Found | undefined {
  const { _parent: below } = socket as Upon;
  return all.get(socket) ?? (below ? all.get(below) : undefined);
}

/** One spelling for each address, so that two of one party count as one. */
export function canonicalAddress(ip: string): string {
  const address = plainAddress(ip);
  if (!isIPv6(address)) return address;
  return plainAddress(new SocketAddress({ address, family: 'ipv6' }).address);
}
