/**
 * Every listener of the gateway. The administrative one and that for health are the first up and the last down, so that
 * whoever asks for health is answered while the others drain.
 */
import type { Server } from 'node:http';

import { startAdmin, type AdminOptions, type AnswerConsole } from '../console/admin.ts';
import { startHealth } from '../console/health.ts';
import type { Edge } from './app.ts';
import type { Config } from './config.ts';
import { listenersOf, openListener, watchShown, type Listener } from './listener.ts';
import type { Note } from './own-trail.ts';
import type { ReportNoise } from './server.ts';
import { contextOptions } from './tls.ts';

export interface EntrancesParts extends Pick<AdminOptions, 'condition' | 'metrics'> {
  readonly realm: string;
  readonly report: ReportNoise;
  readonly note: Note;
}

export interface Entrances extends AsyncDisposable {
  readonly adminUrl: string;
  /** The port of each listener for callers, and of the one for health, by its place in the configuration. */
  readonly ports: ReadonlyMap<string, number>;
  /** The server of each listener for callers, by its place. */
  readonly servers: ReadonlyMap<string, Server>;
  /** Lets callers in; to be called once. */
  serve(edge: Edge): void;
  /** Lets people into the console; to be called once, where there is one. */
  serveConsole(answer: AnswerConsole): void;
  /** Reads again what is shown; what comes of it is told. */
  reload(): void;
}

export async function openEntrances(config: Config, parts: EntrancesParts): Promise<Entrances> {
  await using opening = new AsyncDisposableStack();
  let answerConsole: AnswerConsole | undefined;
  const admin = opening.use(await openAdmin(config.admin, { ...parts, console: () => answerConsole }));
  const ports = new Map<string, number>();
  if (config.health) {
    const { condition } = parts;
    const health = opening.use(await startHealth({ ...config.health, condition }));
    ports.set('health', health.port);
  }
  const listeners: Listener[] = [];
  const servers = new Map<string, Server>();
  for (const [place, settings] of listenersOf(config)) {
    const listener = opening.use(await openListener(settings, { ...parts, place, limits: config.limits }));
    listeners.push(listener);
    servers.set(place, listener.server);
    ports.set(place, listener.port);
  }
  const open = opening.move();
  return {
    adminUrl: admin.url,
    ports,
    servers,
    serve: (edge) => listeners.forEach((listener) => listener.serve(edge)),
    serveConsole: (answer) => void (answerConsole = answer),
    reload: () => [admin, ...listeners].forEach((each) => each.reload()),
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** What it shows follows its files, as at every listener. */
async function openAdmin(
  { host, port, tls }: Config['admin'],
  { condition, metrics, note, console }: EntrancesParts & Pick<AdminOptions, 'console'>,
) {
  const shown = tls && { tls: contextOptions(tls) };
  const admin = await startAdmin({ host, port, condition, metrics, console, ...shown });
  const watch = tls && watchShown('admin', tls, (found) => admin.show(contextOptions(found)), note);
  return {
    url: admin.url,
    reload: () => watch?.reload(),
    async [Symbol.asyncDispose]() {
      watch?.[Symbol.dispose]();
      await admin[Symbol.asyncDispose]();
    },
  };
}
