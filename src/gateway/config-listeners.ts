/**
 * The shape of what the gateway listens on: for callers, for administrators, for whoever asks after its health. Same
 * rules as config-schema.ts.
 */
import { z } from 'zod';

import { keyPair, listenerTls } from './config-certificates.ts';
import { console } from './config-console.ts';
import type { References } from './config-references.ts';
import { count, name, network, port } from './config-values.ts';

export function listen(references: References) {
  return z
    .strictObject({
      host: host().describe('Address to listen on for callers.'),
      port: port().default(8080).describe('Port to listen on for callers; 0 takes a free one.'),
      ...forCallers(references),
    })
    .prefault({})
    .describe('The listener for callers.');
}

export function listeners(references: References) {
  const listener = z.strictObject({
    host: host().describe('Address to listen on.'),
    port: port().describe('Port to listen on; 0 takes a free one.'),
    ...forCallers(references),
  });
  return z
    .record(name('_-', 'name of a listener'), listener)
    .prefault({})
    .describe(
      'Further listeners for callers, by a name of your choice, with the keys of `listen`: another network, another ' +
        'certificate, another way to show one. All serve the same systems; links in replies name `publicUrl` on each.',
    );
}

export function admin(references: References) {
  return z
    .strictObject({
      host: host().describe('Address of the administrative listener.'),
      port: port().default(9090).describe('Port of the administrative listener; 0 takes a free one.'),
      tls: keyPair(references)
        .optional()
        .describe('Certificate and key of the administrative listener; without it, it speaks plain HTTP.'),
      console: console(references),
    })
    .prefault({})
    .describe('The administrative listener: health, figures and the console. Never expose it to callers.');
}

export function health() {
  return z
    .strictObject({
      host: host().describe('Address of the listener for health.'),
      port: port().default(9091).describe('Port of the listener for health; 0 takes a free one.'),
    })
    .optional()
    .describe(
      'A listener for load balancers and kubelets: plain HTTP, `/health/live`, `/health/startup` and `/health/ready` with a bare ' +
        'status and nothing else. Without it, only the administrative listener tells of health.',
    );
}

const host = () => z.string().min(1).default('127.0.0.1');

function forCallers(references: References) {
  return {
    hosts: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Host names that callers may use besides the one of `publicUrl`; all others are refused with 421.',
      ),
    tls: listenerTls(references)
      .optional()
      .describe('Certificate and key of the listener; without it, it speaks plain HTTP.'),
    // One that only waits costs less than one that is turned away and comes back (bench/slow.ts).
    maxConnections: count(1, 100_000).default(4000).describe('Connections of callers at the same time.'),
    maxConnectionsPerSource: count(1, 100_000)
      .default(2500)
      .describe(
        'Connections from one source address (IPv6: its /64) at the same time. ' +
          'Behind a load balancer that hides the callers’ addresses, as many as `maxConnections`.',
      ),
    tlsTerminatedElsewhere: z
      .boolean()
      .default(false)
      .describe(
        'States that a load balancer in front ends TLS, which permits plain HTTP on an address that others reach.',
      ),
    proxyProtocol: z
      .strictObject({
        from: z
          .array(network())
          .min(1)
          .describe('The networks or addresses of the load balancers, in CIDR notation.'),
      })
      .optional()
      .describe(
        'Load balancers that announce each connection with the PROXY protocol, version 2, before TLS. They must; ' +
          'from all others the announcement is refused.',
      ),
    trustedHops: z
      .array(network())
      .default([])
      .describe(
        'Networks or addresses of the proxies whose `X-Forwarded-For` is believed, in CIDR notation. The last address ' +
          'in it that is none of these is where the call comes from.',
      ),
  };
}
