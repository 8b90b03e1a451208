/**
 * Syslog over TLS as a destination of the trail. The end of a connection is the proof that all was read, so a connection
 * lasts from one proof to the next.
 */
import type { Destination } from './destination.ts';
import type { Message } from './message.ts';
import { SyslogConnection, type SyslogPlace } from './syslog-connection.ts';
import { framesOf, type FrameOptions } from './syslog-frame.ts';

export interface SyslogOptions extends FrameOptions, SyslogPlace {}

export class SyslogDestination implements Destination {
  readonly enveloped = false;
  readonly #options: SyslogOptions;
  #connection: SyslogConnection | undefined;

  constructor(options: SyslogOptions) {
    this.#options = options;
  }

  async send(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    const connection = (this.#connection ??= new SyslogConnection(this.#options));
    const frames = messages.flatMap((message) => framesOf(message, this.#options));
    await connection.write(Buffer.concat(frames), signal).catch((error: unknown) => this.#giveUp(error));
  }

  async prove(signal: AbortSignal): Promise<void> {
    await this.#connection?.end(signal).catch((error: unknown) => this.#giveUp(error));
    this.#connection = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection?.destroy();
    await Promise.resolve();
  }

  /** A connection that failed once is not used again, and what it carried does not count as read. */
  #giveUp(error: unknown): never {
    this.#connection = undefined;
    throw error;
  }
}
