/**
 * A load balancer before the gateway that passes TCP through and announces its callers, and the announcement itself:
 * the PROXY protocol, version 2, as HAProxy's specification writes it.
 */
import { once } from 'node:events';
import { connect, createServer, isIPv6, type AddressInfo } from 'node:net';

export interface Announcement {
  readonly ip: string;
  readonly port?: number;
  /** Version and command, 0x21 for a connection on somebody's behalf. */
  readonly command?: number;
  /** Address family and transport; follows from the address where it is not given. */
  readonly family?: number;
  /** What stands behind the addresses. */
  readonly rest?: Buffer;
}

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

export function announce({ ip, port = 40_000, command = 0x21, family, rest }: Announcement): Buffer {
  const addresses = isIPv6(ip)
    ? [bytesOf(ip), bytesOf('2001:db8:0:0:0:0:0:ff')]
    : [ip, '192.0.2.255'].map((address) => Buffer.from(address.split('.').map(Number)));
  const ports = Buffer.from([port >> 8, port & 0xff, 443 >> 8, 443 & 0xff]);
  return header(
    command,
    family ?? (isIPv6(ip) ? 0x21 : 0x11),
    Buffer.concat([...addresses, ports, rest ?? Buffer.alloc(0)]),
  );
}

export function header(command: number, family: number, body: Buffer): Buffer {
  return Buffer.concat([
    signature,
    Buffer.from([command, family, body.length >> 8, body.length & 0xff]),
    body,
  ]);
}

/** An IPv6 address without `::`. */
function bytesOf(ip: string): Buffer {
  return Buffer.from(
    ip.split(':').flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]),
  );
}

/** Everybody who connects to it is announced as `ip`, in one packet with the first that they send. */
export async function startBalancer(authority: string, ip: string) {
  const { hostname, port } = new URL(`http://${authority}`);
  const server = createServer((near) => {
    near.once('data', (first: Buffer) => {
      const far = connect(Number(port), hostname);
      far.write(Buffer.concat([announce({ ip }), first]));
      near.pipe(far).pipe(near);
      far.on('error', () => near.destroy());
      far.on('close', () => near.destroy());
      near.on('close', () => far.destroy());
    });
    near.on('error', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    authority: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
