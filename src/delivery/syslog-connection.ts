/**
 * One connection to a receiver of syslog over TLS (RFC 5425). Nobody confirms a message there; but whoever is told the end of
 * the connection answers with its own (§4.4), and so has read all that came before.
 */
import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';

import { codeOf } from '../audit/report.ts';
import { NotTaken } from './destination.ts';

/** How the gateway speaks TLS to a destination: PEM texts. */
export interface TlsOptions {
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

export interface SyslogPlace {
  readonly host: string;
  readonly port: number;
  readonly tls: TlsOptions;
}

export class SyslogConnection {
  readonly #socket: TLSSocket;
  readonly #ready: Promise<unknown>;
  #fault: unknown;
  #isEnding = false;

  constructor({ host, port, tls: { ca, certificate: cert, key } }: SyslogPlace) {
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

  /** Resolves when the bytes have left; throws `NotTaken`, and then the connection is of no use any more. */
  write(bytes: Buffer, signal: AbortSignal): Promise<void> {
    return this.#attempt(signal, () => this.#write(bytes));
  }

  /** Resolves when the other side has read all that was written. */
  end(signal: AbortSignal): Promise<void> {
    return this.#attempt(signal, () => this.#end());
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #attempt(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
    const { promise: over, reject } = Promise.withResolvers<never>();
    const giveUp = (): void => reject(new NotTaken('deadline'));
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
    try {
      await Promise.race([work(), over]);
    } catch (error) {
      this.destroy();
      throw error instanceof NotTaken ? error : new NotTaken(codeOf(error), { cause: error });
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    await this.#ready;
    this.#check();
    const { promise: written, resolve, reject } = Promise.withResolvers<void>();
    this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    await written;
    this.#check();
  }

  async #end(): Promise<void> {
    await this.#ready;
    this.#check();
    this.#isEnding = true;
    const ended = once(this.#socket, 'end');
    const closed = once(this.#socket, 'close');
    this.#socket.end();
    await Promise.all([ended, closed]);
    this.#check();
  }

  #check(): void {
    if (this.#fault) throw this.#fault;
    if (this.#socket.destroyed && !this.#isEnding) throw new NotTaken('closed by the other side');
  }
}
