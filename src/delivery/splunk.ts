/** Splunk's HTTP Event Collector: events one behind the other in one body, chain and number as indexed fields. */
import type { Destination } from './destination.ts';
import type { FormatName, Message } from './message.ts';
import { Poster, type PostOptions } from './post.ts';

export interface SplunkOptions extends PostOptions {
  /** Reveals the token; asked for with each batch. */
  readonly token: () => string;
  readonly hostname: string;
  readonly format: FormatName;
  readonly index?: string | undefined;
  readonly sourceType: string;
}

export class SplunkDestination implements Destination {
  readonly enveloped = false;
  readonly #options: SplunkOptions;
  readonly #poster: Poster;

  constructor(options: SplunkOptions) {
    this.#options = options;
    this.#poster = new Poster(options);
  }

  async send(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    const body = messages.flatMap((message) => this.#eventsOf(message)).join('\n');
    const headers = { authorization: `Splunk ${this.#options.token()}`, 'content-type': 'application/json' };
    await this.#poster.post(Buffer.from(body), headers, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#poster.close();
    await Promise.resolve();
  }

  #eventsOf({ entry, isCheckpoint, bodies }: Message): string[] {
    const { hostname: host, index, sourceType: sourcetype, format } = this.#options;
    const number = isCheckpoint ? { size: entry.seq } : { seq: entry.seq };
    const around = JSON.stringify({
      time: Date.parse(entry.ts) / 1000,
      host,
      source: entry.instance,
      sourcetype,
      index,
      fields: { chain: entry.segment.chain, ...number },
    });
    return bodies.map((body) => `${around.slice(0, -1)},"event":${valueOf(body, format)}}`);
  }
}

/** A body inside of JSON: all forms but CEF are JSON themselves, and keep their bytes. */
export function valueOf(body: string, format: FormatName): string {
  return format === 'cef' ? JSON.stringify(body) : body;
}
