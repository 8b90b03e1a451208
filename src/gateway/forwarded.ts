/**
 * Who calls, when HTTP hops stand between: X-Forwarded-For, read from the end that trusted hops have written.
 * Invariant: nothing that a caller can write itself decides anything (ASVS 5.0 15.3.4).
 */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

import type { Networks } from '../auth/network.ts';
import type { Source } from '../scim/call.ts';
import { canonicalAddress, peerOf } from './peer.ts';

/** More would be no path that anybody has built. */
const maxHops = 16;

/** Where the call came from: the connection's peer, or whom trusted hops name. */
export function sourceOfCall({ socket, headers }: IncomingMessage, hops: Networks): Source {
  // Node joins several fields of this name in their order.
  return behind(peerOf(socket), String(headers['x-forwarded-for'] ?? ''), hops);
}

/** Each hop appends whom it was called by, so that the last entry is the nearest. */
export function behind(peer: Source, forwardedFor: string, hops: Networks): Source {
  if (!hops.has(peer.ip)) return peer;
  const entries = forwardedFor.split(',');
  let source = peer;
  const via = [...(peer.via ?? [])];
  while (hops.has(source.ip) && entries.length > 0) {
    const next = readEntry(entries.pop() ?? '');
    // What a trusted hop has written and nobody understands names nobody.
    if (!next || via.length === maxHops) return peer;
    via.unshift(source.ip);
    source = next;
  }
  return { ...source, via };
}

/** An address; some hops write the port behind it. */
function readEntry(text: string): Source | undefined {
  const entry = text.trim();
  const [, bracketed, plain, port = '0'] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(entry) ?? [];
  const ip = isIP(entry) ? entry : (bracketed ?? plain ?? '');
  if (!isIP(ip) || ip.includes('%')) return undefined;
  return { ip: canonicalAddress(ip), port: isIP(entry) ? 0 : Number(port) };
}
