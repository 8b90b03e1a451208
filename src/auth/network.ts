/** Addresses as parties: who counts as one source of calls, and which networks a source belongs to. */
import { BlockList, isIPv6 } from 'node:net';

/** The party behind an address: the address itself, of IPv6 the /64, because that is the least that one party has. */
export function sourceOf(ip: string): string {
  const address = plainAddress(ip);
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::', 2);
  const left = groups(head);
  const right = groups(tail ?? '');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  const all = [...left, ...Array.from({ length: zeros }, () => '0'), ...right];
  return `${all.slice(0, 4).join(':')}::/64`;
}

/** A list of networks. */
export interface Networks {
  has(ip: string): boolean;
}

/** @param list in CIDR notation; an address without a length stands for itself */
export function createNetworks(list: readonly string[]): Networks {
  const networks = new BlockList();
  for (const text of list) {
    const [address = '', length] = text.split('/');
    const family = familyOf(address);
    networks.addSubnet(address, Number(length ?? (family === 'ipv6' ? 128 : 32)), family);
  }
  return {
    has: (ip) => {
      const address = plainAddress(ip);
      return networks.check(address, familyOf(address));
    },
  };
}

const familyOf = (address: string): 'ipv4' | 'ipv6' => (isIPv6(address) ? 'ipv6' : 'ipv4');

/** As a listener for both families reports it, an IPv4 address stands inside an IPv6 one (RFC 4291 §2.5.5.2). */
export function plainAddress(ip: string): string {
  return ip.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '');
}

function groups(text: string): string[] {
  return text
    .split(':')
    .filter(Boolean)
    .flatMap((group) => (group.includes('.') ? ['v4', 'v4'] : [Number.parseInt(group, 16).toString(16)]));
}
