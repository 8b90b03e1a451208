/** What the configuration says of alerts, as whoever sends them takes it: values instead of references. */
import type { AlertSettings, ConfiguredChannel } from '../alerts/alerts.ts';
import type { ChannelSettings } from '../alerts/channels.ts';
import type { Config } from './config.ts';
import { postOf, tlsOf } from './destinations.ts';

type Configured = Config['alerts']['channels'][string];

export function alertsOf({ alerts }: Config): AlertSettings {
  const { repeat: betweenMs, channels } = alerts;
  return {
    betweenMs,
    channels: new Map(Object.entries(channels).map(([name, each]) => [name, channelOf(each)])),
  };
}

function channelOf(each: Configured): ConfiguredChannel {
  const { least, only, timeout: timeoutMs } = each;
  return { settings: settingsOf(each), least, only, timeoutMs };
}

function settingsOf(each: Configured): ChannelSettings {
  switch (each.type) {
    case 'webhook':
      return { ...postOf(each), type: each.type, secret: () => each.secret.reveal() };
    case 'syslog': {
      const { type, host, port, facility, structuredDataId } = each;
      return { type, host, port, facility, structuredDataId, tls: tlsOf(each) };
    }
    case 'smtp': {
      const { type, host, port, encryption, user, password, from, to } = each;
      const logOn = user !== undefined && password && { user, password: () => password.reveal() };
      return { type, host, port, encryption, from, to, tls: tlsOf(each), ...(logOn && { logOn }) };
    }
  }
}
