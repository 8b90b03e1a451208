/** How safe the ways into this installation are: the listeners, and the console on one of them. */
import type { SecurityCheck } from '../console/api/security.ts';
import { isLoopback } from './config-values.ts';
import type { Config } from './config.ts';
import { listenersOf } from './listener.ts';
import { check, type Found } from './security-check.ts';

const area = 'listeners';
const longestIdleMs = 30 * 60_000;

export function listenerChecks(config: Config): SecurityCheck[] {
  const callers = listenersOf(config).flatMap(([place, { host, tls, tlsTerminatedElsewhere }]) => [
    check({
      area,
      about: 'listener.tls',
      id: `${place}.tls`,
      setting: `${place}.tls`,
      found: transportOf(host, tls, tlsTerminatedElsewhere),
      values: { place },
    }),
    check({
      area,
      about: 'listener.clients',
      id: `${place}.clients`,
      setting: `${place}.tls.clients`,
      found: tls?.clients ? ['good', 'listener.clients.possible'] : ['advice', 'listener.clients.none'],
      values: { place },
    }),
  ]);
  const { host, tls } = config.admin;
  const isReached: Found = tls ? ['advice', 'admin.tls.encrypted'] : ['danger', 'admin.tls.plain'];
  const found: Found = isLoopback(host) ? ['good', 'admin.tls.local'] : isReached;
  return [...callers, check({ area, about: 'admin.tls', setting: 'admin.tls', found })];
}

function transportOf(host: string, tls: object | undefined, isElsewhere: boolean): Found {
  if (tls) return ['good', 'listener.tls.encrypted'];
  if (isLoopback(host)) return ['good', 'listener.tls.local'];
  return isElsewhere ? ['advice', 'listener.tls.elsewhere'] : ['danger', 'listener.tls.plain'];
}

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
      found: accounts <= 2 ? ['good', 'console.accounts.few'] : ['advice', 'console.accounts.many'],
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
