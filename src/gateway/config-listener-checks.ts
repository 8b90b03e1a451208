/**
 * Checks of all that the gateway listens on: what would carry passwords in plain text, take one port twice, or believe
 * everybody's word for where a call comes from. Same rules as config-checks.ts.
 */
import { draftListeners, entriesOf, listOf, type DraftConfig, type DraftListener } from './config-draft.ts';
import type { Refuse } from './config-draft.ts';
import { isLoopback } from './config-values.ts';

export function checkListeners(config: DraftConfig, refuse: Refuse): void {
  const listeners = draftListeners(config);
  for (const [place, listener] of listeners) {
    checkTls(place, listener, refuse);
    checkTrust(place, listener, refuse);
  }
  if (!config?.publicUrl && listeners.some(([, listener]) => isOpen(listener)))
    refuse(
      ['publicUrl'],
      'is missing, and the listener’s own address is not what callers use',
      'write the https:// address that callers use',
    );
  checkPorts(config, refuse);
  checkEmbedded(config, refuse);
}

/** Whether somebody else than this machine reaches it. */
function isOpen(listener: DraftListener): boolean {
  return typeof listener?.host === 'string' && !isLoopback(listener.host);
}

function checkTls(place: readonly string[], listener: DraftListener, refuse: Refuse): void {
  if (!isOpen(listener) || listener?.tls || listener?.tlsTerminatedElsewhere) return;
  const at = place.join('.');
  refuse(
    place,
    `passwords would travel in plain HTTP to ${listener?.host}`,
    `give ${at}.tls, or state ${at}.tlsTerminatedElsewhere: true when a load balancer in front speaks TLS`,
  );
}

/** Then a caller could say itself where it calls from. */
function checkTrust(place: readonly string[], listener: DraftListener, refuse: Refuse): void {
  const lists = [
    [['trustedHops'], listOf(listener?.trustedHops)],
    [['proxyProtocol', 'from'], listOf(listener?.proxyProtocol?.from)],
  ] as const;
  for (const [keys, networks] of lists)
    for (const [index, network] of networks.entries())
      if (typeof network === 'string' && network.endsWith('/0'))
        refuse([...place, ...keys, index], 'is everybody', 'name the addresses of your load balancers');
}

interface Bound {
  readonly path: string;
  readonly port: unknown;
  /** Known for listeners for callers: those may share a port on different addresses of the machine. */
  readonly host?: unknown;
}

function checkPorts(config: DraftConfig, refuse: Refuse): void {
  const bound: Bound[] = [
    ...draftListeners(config).map(([place, listener]) => ({
      path: `${place.join('.')}.port`,
      port: listener?.port,
      host: listener?.host,
    })),
    { path: 'admin.port', port: config?.admin?.port },
    { path: 'health.port', port: config?.health?.port },
    ...entriesOf(config?.tenants).map(([id, tenant]) => ({
      path: `tenants.${id}.embedded.port`,
      port: tenant?.embedded?.port,
    })),
  ];
  for (const [at, one] of bound.entries()) {
    const taken = bound
      .slice(0, at)
      .find((other) => one.port && one.port === other.port && collide(one, other));
    if (taken) refuse([one.path], `is the port of ${taken.path}`, 'choose another port, or 0 for a free one');
  }
}

function collide(one: Bound, other: Bound): boolean {
  const hosts = [one.host, other.host];
  return one.host === other.host || hosts.some((host) => typeof host !== 'string' || isAll(host));
}

const isAll = (host: string): boolean => host === '0.0.0.0' || host === '::';

/** Its directory is invented and its faults can be had on demand: nobody else may take it for a real tenant. */
function checkEmbedded(config: DraftConfig, refuse: Refuse): void {
  const open = draftListeners(config).find(([, listener]) => isOpen(listener));
  if (!open) return;
  for (const [id, tenant] of entriesOf(config?.tenants))
    if (tenant?.embedded)
      refuse(
        ['tenants', id, 'embedded'],
        `is for trying out, and ${open[1]?.host} lets others in`,
        'write url and credential of a real tenant, or listen on 127.0.0.1',
      );
}
