/**
 * The way to everybody whom the gateway tells something of its own accord: destinations of the trail and channels of alerts.
 * Nothing is sent to them; `gatehouse alert test` does that.
 */
import type { Config } from '../gateway/config.ts';
import { walk, type Report } from './finding.ts';
import { walkWay, type Way } from './way.ts';

type Outlet = Config['audit']['destinations'][string] | Config['alerts']['channels'][string];

export async function walkOutlets(report: Report, { audit, alerts }: Config): Promise<void> {
  for (const [name, outlet] of Object.entries(audit.destinations))
    await walkOutlet(report, outlet, `destination ${name}`, `audit.destinations.${name}`);
  for (const [name, outlet] of Object.entries(alerts.channels))
    await walkOutlet(report, outlet, `channel ${name}`, `alerts.channels.${name}`);
}

async function walkOutlet(report: Report, outlet: Outlet, of: string, at: string): Promise<void> {
  if (outlet.type === 'file') {
    await walk(report, { leg: 'connection', of }, async () => [
      { outcome: 'skipped', found: 'is a file of this machine' },
      true,
    ]);
    return;
  }
  const held = await walkWay(report, { ...outlet, ...placed(outlet, at), of });
  if (held && outlet.type === 'smtp' && outlet.encryption === 'starttls')
    report({
      leg: 'tls',
      of,
      outcome: 'skipped',
      found: 'is asked for after the greeting: gatehouse alert test tries it',
    });
}

function placed(outlet: Exclude<Outlet, { readonly type: 'file' }>, at: string): Pick<Way, 'url' | 'place'> {
  const trust = `${at}.ca`;
  if ('url' in outlet) {
    const { hostname: host } = new URL(outlet.url);
    return { url: outlet.url, place: { host, key: `${at}.url`, trust, proxy: `${at}.outboundProxy` } };
  }
  const isSecure = outlet.type === 'syslog' || outlet.encryption === 'tls';
  const host = outlet.host.includes(':') ? `[${outlet.host}]` : outlet.host;
  const url = `${isSecure ? 'tls' : 'tcp'}://${host}:${outlet.port}`;
  return { url, place: { host, key: `${at}.host`, trust } };
}
