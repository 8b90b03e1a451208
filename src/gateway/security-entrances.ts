/** How safe the ways into this installation are: the listeners, and the console on one of them. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

import type { SecurityCheck } from '../console/api/security.ts';
import { isLoopback } from './config-values.ts';
import type { Config } from './config.ts';
import { listenersOf, type ListenerSettings } from './listener.ts';
import { check, type Found } from './security-check.ts';

const area = 'listeners';
const longestIdleMs = 30 * 60_000;

export function listenerChecks(config: Config): SecurityCheck[] {
  const callers = listenersOf(config).flatMap(([place, settings]) => [
    check({
      area,
      about: 'listener.tls',
      id: `${place}.tls`,
      setting: `${place}.tls`,
      found: transportOf(settings),
      values: { place },
    }),
    check({
      area,
      about: 'listener.clients',
      id: `${place}.clients`,
      setting: `${place}.tls.clients`,
      found: settings.tls?.clients
        ? ['good', 'listener.clients.possible']
        : ['advice', 'listener.clients.none'],
      values: { place },
    }),
    ...certificateChecks(place, settings, config.publicUrl),
  ]);
  const { host, tls } = config.admin;
  const isReached: Found = tls ? ['advice', 'admin.tls.encrypted'] : ['danger', 'admin.tls.plain'];
  const found: Found = isLoopback(host) ? ['good', 'admin.tls.local'] : isReached;
  return [...callers, check({ area, about: 'admin.tls', setting: 'admin.tls', found })];
}

function transportOf({ host, tls, tlsTerminatedElsewhere }: ListenerSettings): Found {
  if (tls) return ['good', 'listener.tls.encrypted'];
  if (isLoopback(host)) return ['good', 'listener.tls.local'];
  return tlsTerminatedElsewhere ? ['advice', 'listener.tls.elsewhere'] : ['danger', 'listener.tls.plain'];
}

/** Where a proxy in front takes calls apart, callers see its certificate and not ours. */
function certificateChecks(
  place: string,
  { tls, hosts, trustedHops }: ListenerSettings,
  publicUrl: string | undefined,
): SecurityCheck[] {
  if (!tls || publicUrl === undefined || trustedHops.length > 0 || tls.clients?.forwarders) return [];
  const host = new URL(publicUrl).hostname;
  const certificate = new X509Certificate(tls.certificate.text);
  const isNamed = [host, ...hosts].some((name) => vouchesFor(certificate, name));
  return [
    check({
      area,
      about: 'listener.certificate',
      id: `${place}.certificate`,
      setting: `${place}.tls.certificate`,
      found: isNamed ? ['good', 'listener.certificate.named'] : ['danger', 'listener.certificate.other'],
      values: { place, host, names: namesIn(certificate) },
    }),
  ];
}

function vouchesFor(certificate: X509Certificate, host: string): boolean {
  const bare = host.replaceAll(/[[\]]/g, '');
  return (isIP(bare) ? certificate.checkIP(bare) : certificate.checkHost(bare)) !== undefined;
}

function namesIn({ subjectAltName = '', subject }: X509Certificate): string {
  const names = [...subjectAltName.matchAll(/(?:DNS|IP Address):([^,\s]+)/g)].map(([, name]) => name);
  return names.join(', ') || subject.replaceAll('\n', ', ');
}

const fewAccounts = ['console.accounts.none', 'console.accounts.one', 'console.accounts.few'] as const;

export function consoleChecks({ admin }: Config): SecurityCheck[] {
  const { console: settings } = admin;
  if (!settings) return [];
  const accounts = Object.keys(settings.accounts).length;
  return [
    check({
      area: 'console',
      about: 'console.oidc',
      setting: 'admin.console.oidc',
      found: settings.oidc ? ['good', 'console.oidc.provider'] : ['advice', 'console.oidc.local'],
    }),
    check({
      area: 'console',
      about: 'console.accounts',
      setting: 'admin.console.accounts',
      found:
        accounts > 2
          ? ['advice', 'console.accounts.many']
          : ['good', fewAccounts[accounts] ?? fewAccounts[2]],
      values: { count: String(accounts) },
    }),
    check({
      area: 'console',
      about: 'console.idle',
      setting: 'admin.console.idle',
      found:
        settings.idle <= longestIdleMs ? ['good', 'console.idle.short'] : ['advice', 'console.idle.long'],
      values: { minutes: String(Math.round(settings.idle / 60_000)) },
    }),
  ];
}
