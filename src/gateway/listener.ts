/**
 * One listener for callers, from its settings to its end. What it shows follows its files by itself; calls that come
 * before the line is there wait for it.
 */
import type { RequestListener, Server } from 'node:http';

import { createNetworks } from '../auth/network.ts';
import { log } from '../log.ts';
import { createApp, type Edge } from './app.ts';
import type { KeyPair } from './config-certificates.ts';
import type { Config, Limits } from './config.ts';
import type { Note } from './own-trail.ts';
import { attach, listen, show, type ReportNoise } from './server.ts';
import { Clients } from './tls-clients.ts';
import { watchTls, type TlsReload } from './tls-reload.ts';
import type { TlsMaterial } from './tls.ts';

export type ListenerSettings = Config['listen'];

/** Every listener for callers with its place in the configuration, the main one first. */
export function listenersOf({ listen, listeners }: Config): [place: string, settings: ListenerSettings][] {
  const all = new Map<string, ListenerSettings>([['listen', listen]]);
  for (const [name, settings] of Object.entries(listeners)) all.set(`listeners.${name}`, settings);
  return [...all];
}

export interface Listener extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  /** To be called once. */
  serve(edge: Edge): void;
  /** Reads certificate, key and lists again; what comes of it is told. */
  reload(): void;
}

export interface ListenerParts {
  /** Where it stands in the configuration. */
  readonly place: string;
  readonly limits: Limits;
  readonly realm: string;
  readonly report: ReportNoise;
  readonly note: Note;
}

export async function openListener(settings: ListenerSettings, parts: ListenerParts): Promise<Listener> {
  const { place, limits, realm, report, note } = parts;
  const { tls, proxyProtocol, trustedHops } = settings;
  const hops = createNetworks(trustedHops);
  const { server, port } = await listen(
    {
      ...settings,
      announcers: createNetworks(proxyProtocol?.from ?? []),
      hops,
      headersTimeMs: limits.headersTime,
      bodyTimeMs: limits.bodyTime,
      idleTimeMs: limits.idleTime,
    },
    report,
  );
  const { promise: app, resolve: begin } = Promise.withResolvers<RequestListener>();
  attach(server, (request, response) => void app.then((answer) => answer(request, response)));
  const clients = tls?.clients && new Clients(tls.clients, { report, realm });
  clients?.watch(server);
  const exchange = (found: TlsMaterial): void => {
    show(server, found);
    if (found.clients) clients?.trust(found.clients);
  };
  const watch = tls && watchShown(place, tls, exchange, note);
  return {
    server,
    port,
    serve: (edge) => begin(createApp(edge, { hops, certificateOf: (request) => clients?.check(request) })),
    reload: () => watch?.reload(),
    async [Symbol.asyncDispose]() {
      watch?.[Symbol.dispose]();
      if (!server.listening) return;
      const closed = server[Symbol.asyncDispose]();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Exchanges what a listener shows when its files change, and tells of it. */
export function watchShown(
  place: string,
  tls: KeyPair,
  show: (tls: TlsMaterial) => void,
  note: Note,
): TlsReload {
  return watchTls(tls, {
    show,
    onReloaded: (facts) => {
      log.info('the certificate of a listener was read again', { listener: place, ...facts });
      note('cert.reloaded', { listener: place, ...facts });
    },
    onUnfit: (reason) => {
      log.error('the new certificate of a listener is not fit; the last good one stays', {
        listener: place,
        reason,
      });
      note('cert.reload_failed', { listener: place, reason });
    },
  });
}
