/**
 * The trail on its way to all destinations, each by itself: one that is away or hangs delays neither a call nor another
 * destination. It needs the directory alone, and begins where it was left.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Destination } from './destination.ts';
import { FileDestination } from './file.ts';
import type { Note } from './health.ts';
import { filterOf, type FormatName } from './message.ts';
import type { PostOptions } from './post.ts';
import { Shipper, type DeliveryState } from './shipper.ts';
import { SplunkDestination } from './splunk.ts';
import type { TlsOptions } from './syslog-connection.ts';
import type { Facility } from './syslog-frame.ts';
import { SyslogDestination } from './syslog.ts';
import { WebhookDestination } from './webhook.ts';

interface Common {
  readonly format: FormatName;
  readonly events: readonly string[];
  readonly timeoutMs: number;
}

export type DestinationSettings = Common &
  (
    | {
        readonly type: 'syslog';
        readonly host: string;
        readonly port: number;
        readonly tls: TlsOptions;
        readonly facility: Facility;
        readonly structuredDataId: string;
        readonly resendMs: number;
      }
    | (PostOptions & {
        readonly type: 'splunk';
        readonly token: () => string;
        readonly index?: string | undefined;
        readonly sourceType: string;
      })
    | (PostOptions & { readonly type: 'webhook'; readonly secret: () => string })
    | { readonly type: 'file'; readonly path: string }
  );

export type Destinations = ReadonlyMap<string, DestinationSettings>;

export interface DeliveryOptions {
  /** That of the trail, and the instance's name in it. */
  readonly directory: string;
  readonly instance: string;
  readonly note: Note;
}

/** How long the end waits for what was recorded last. */
const lastMs = 2000;
/** Longer than checkpoints are apart. */
const noticeMs = 1500;

export class Delivery implements AsyncDisposable {
  readonly #options: DeliveryOptions;
  readonly #ending = new AbortController();
  #shippers: ReadonlyMap<string, Shipper>;
  #replacing: Promise<void> | undefined;

  constructor(options: DeliveryOptions, destinations: Destinations) {
    this.#options = options;
    this.#shippers = this.#begin(destinations);
  }

  states(): Map<string, DeliveryState> {
    return new Map([...this.#shippers].map(([name, { state }]) => [name, state]));
  }

  /**
   * Others from now on; each goes on where one of its name was. Those before still get the records that tell of the
   * change, so that nobody leaves without a word. Call it again only when it has resolved.
   */
  replace(destinations: Destinations): Promise<void> {
    this.#replacing = this.#replace(destinations);
    return this.#replacing;
  }

  /** Once the trail is closed, so that its last records go as well, as far as the destinations take them at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#replacing;
    await this.#finish();
  }

  async #replace(destinations: Destinations): Promise<void> {
    const { signal } = this.#ending;
    await sleep(noticeMs, undefined, { signal }).catch(() => undefined); // only the end comes earlier
    if (signal.aborted) return;
    await this.#finish();
    this.#shippers = this.#begin(signal.aborted ? new Map() : destinations);
  }

  async #finish(): Promise<void> {
    await Promise.all([...this.#shippers.values()].map((shipper) => shipper.finish(lastMs)));
  }

  #begin(destinations: Destinations): Map<string, Shipper> {
    const { directory, instance, note } = this.#options;
    return new Map(
      [...destinations].map(([name, settings]) => [
        name,
        new Shipper(join(directory, instance), instance, {
          name,
          destination: open(settings),
          format: settings.format,
          wants: filterOf(settings.events),
          timeoutMs: settings.timeoutMs,
          resendMs: settings.type === 'syslog' ? settings.resendMs : 0,
          note,
        }),
      ]),
    );
  }
}

function open(settings: DestinationSettings): Destination {
  switch (settings.type) {
    case 'syslog':
      return new SyslogDestination({ ...settings, hostname: hostname() });
    case 'splunk':
      return new SplunkDestination({ ...settings, hostname: hostname() });
    case 'webhook':
      return new WebhookDestination(settings);
    case 'file':
      return new FileDestination(settings.path);
  }
}
