/**
 * The trail on its way to all destinations, each by itself: one that is away or hangs delays neither a call nor another
 * destination. It needs the directory alone, and begins where it was left.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';

import type { Destination } from './destination.ts';
import { FileDestination } from './file.ts';
import type { Note } from './health.ts';
import { filterOf, type FormatName } from './message.ts';
import type { PostOptions } from './post.ts';
import { Shipper, type DeliveryState } from './shipper.ts';
import { SplunkDestination } from './splunk.ts';
import type { Facility } from './syslog-frame.ts';
import { SyslogDestination, type TlsOptions } from './syslog.ts';
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

export interface DeliveryOptions {
  /** That of the trail, and the instance's name in it. */
  readonly directory: string;
  readonly instance: string;
  readonly destinations: ReadonlyMap<string, DestinationSettings>;
  readonly note: Note;
}

/** How long the end of the process waits for what was recorded last. */
const lastMs = 2000;

export class Delivery implements AsyncDisposable {
  readonly #shippers: ReadonlyMap<string, Shipper>;

  constructor({ directory, instance, destinations, note }: DeliveryOptions) {
    this.#shippers = new Map(
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

  states(): Map<string, DeliveryState> {
    return new Map([...this.#shippers].map(([name, { state }]) => [name, state]));
  }

  /** Once the trail is closed, so that its last records go as well, as far as the destinations take them at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#shippers.values()].map((shipper) => shipper.finish(lastMs)));
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
