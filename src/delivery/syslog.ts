/**
 * Syslog over TLS (RFC 5425). Nobody confirms a message there; but whoever is told the end of the connection answers with
 * its own (§4.4), and so has read all that came before. That is the proof, and a connection lasts from one to the next.
 */
import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

import { codeOf } from '../audit/report.ts';
import { NotTaken, type Destination } from './destination.ts';
import type { Message } from './message.ts';
import { framesOf, type FrameOptions } from './syslog-frame.ts';

/** How the gateway speaks TLS to a destination: PEM texts. */
export interface TlsOptions {
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

export interface SyslogOptions extends FrameOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsOptions;
}

export class SyslogDestination implements Destination {
  readonly enveloped = false;
  readonly #options: SyslogOptions;
  #connection: Connection | undefined;

  constructor(options: SyslogOptions) {
    this.#options = options;
  }

  async send(messages: readonly Message[], signal: AbortSignal): Promise<void> {
    this.#connection ??= new Connection(this.#options);
    const frames = messages.flatMap((message) => framesOf(message, this.#options));
    await this.#attempt(signal, (connection) => connection.write(Buffer.concat(frames)));
  }

  async prove(signal: AbortSignal): Promise<void> {
    await this.#attempt(signal, (connection) => connection.end());
    this.#connection = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection?.destroy();
    await Promise.resolve();
  }

  /** A connection that failed once is not used again, and what it carried does not count as read. */
  async #attempt(signal: AbortSignal, work: (connection: Connection) => Promise<void>): Promise<void> {
    const connection = this.#connection;
    if (!connection) return;
    const { promise: over, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => reject(new NotTaken('deadline'));
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      await Promise.race([work(connection), over]);
    } catch (error) {
      connection.destroy();
      this.#connection = undefined;
      throw error instanceof NotTaken ? error : new NotTaken(codeOf(error), { cause: error });
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }
}

class Connection {
  readonly #socket: TLSSocket;
  readonly #ready: Promise<unknown>;
  #fault: unknown;
  #isEnding = false;

  constructor({ host, port, tls: { ca, certificate: cert, key } }: SyslogOptions) {
    const socket = connect({
      host,
      port,
      // RFC 6066 §3 has no addresses in it.
      ...(isIP(host) === 0 && { servername: host }),
      minVersion: 'TLSv1.2',
      ...(ca && { ca }),
      ...(cert && key && { cert, key }),
    });
    this.#socket = socket;
    this.#ready = once(socket, 'secureConnect');
    // Whoever writes learns it; until then it is nobody's.
    this.#ready.catch(() => undefined);
    socket.on('error', (error) => (this.#fault ??= error));
    socket.on('end', () => {
      if (!this.#isEnding) this.#fault ??= new NotTaken('closed by the other side');
    });
    // Nothing is expected, but its end is seen only by whoever reads.
    socket.setKeepAlive(true, 10_000).resume();
  }

  async write(bytes: Buffer): Promise<void> {
    await this.#ready;
    this.#check();
    const { promise: written, resolve, reject } = Promise.withResolvers<void>();
    this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    await written;
    this.#check();
  }

  async end(): Promise<void> {
    await this.#ready;
    this.#check();
    this.#isEnding = true;
    const ended = once(this.#socket, 'end');
    const closed = once(this.#socket, 'close');
    this.#socket.end();
    await Promise.all([ended, closed]);
    this.#check();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #check(): void {
    if (this.#fault) throw this.#fault;
    if (this.#socket.destroyed && !this.#isEnding) throw new NotTaken('closed by the other side');
  }
}
