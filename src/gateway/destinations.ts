/** What the configuration says of destinations, as the delivery takes it: values instead of references. */
import type { Destinations, DestinationSettings } from '../delivery/delivery.ts';
import type { Config } from './config.ts';

type Configured = Config['audit']['destinations'][string];

export function destinationsOf({ audit }: Config): Destinations {
  return new Map(Object.entries(audit.destinations).map(([name, each]) => [name, settingsOf(each)]));
}

function settingsOf(each: Configured): DestinationSettings {
  const { format, events, timeout: timeoutMs } = each;
  const common = { format, events, timeoutMs };
  switch (each.type) {
    case 'syslog': {
      const { type, host, port, facility, structuredDataId, resend: resendMs } = each;
      return { ...common, type, host, port, facility, structuredDataId, resendMs, tls: tlsOf(each) };
    }
    case 'splunk': {
      const { type, token, index, sourceType } = each;
      return { ...common, ...postOf(each), type, token: () => token.reveal(), index, sourceType };
    }
    case 'webhook':
      return { ...common, ...postOf(each), type: each.type, secret: () => each.secret.reveal() };
    case 'file':
      return { ...common, type: each.type, path: each.path };
  }
}

/** What somebody who is spoken to over TLS is shown and believed by. */
interface Shown {
  readonly ca?: Extract<Configured, { type: 'syslog' }>['ca'];
  readonly clientCertificate?: Extract<Configured, { type: 'syslog' }>['clientCertificate'];
}

export function tlsOf({ ca, clientCertificate }: Shown) {
  return {
    ca: ca?.text,
    certificate: clientCertificate?.certificate.text,
    key: clientCertificate?.key.reveal(),
  };
}

export function postOf(
  each: Shown & Pick<Extract<Configured, { type: 'webhook' }>, 'url' | 'outboundProxy'>,
) {
  const { url, outboundProxy } = each;
  return {
    url,
    tls: tlsOf(each),
    ...(outboundProxy && {
      outboundProxy: { url: outboundProxy.url.reveal(), noProxy: outboundProxy.noProxy },
    }),
  };
}
