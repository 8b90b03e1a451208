/**
 * Speaks bytes to a listener instead of HTTP, so that a test can send what no HTTP client would. It reads each
 * answer as strictly as the gateway must write it: a body without a length, or bytes beyond it, are a failure.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface RawOptions {
  readonly allowHalfOpen?: boolean;
  /** The address to call from, of those that this machine has. */
  readonly localAddress?: string;
}

/** Longer than anything that a test waits for. */
const patienceMs = 8000;

export class RawConnection implements Disposable {
  readonly #socket: Socket;
  readonly #closed = Promise.withResolvers<void>();
  #unread = '';
  #arrived = Promise.withResolvers<void>();
  #fault: Error | undefined;

  /** @param options as of `net.connect`; with `allowHalfOpen` this side never closes by itself */
  static async open(authority: string, options: RawOptions = {}): Promise<RawConnection> {
    const { hostname: host, port } = new URL(`http://${authority}`);
    const socket = connect({ ...options, host, port: Number(port) });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** The same over TLS; rejects when the handshake fails. */
  static async openTls(authority: string, options: ConnectionOptions & RawOptions): Promise<RawConnection> {
    const { hostname: host, port } = new URL(`https://${authority}`);
    const socket = connectTls({ host, port: Number(port), ...options });
    await once(socket, 'secureConnect');
    return new RawConnection(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    const wake = (): void => {
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    };
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#unread += text;
      wake();
    });
    socket.on('error', (error) => (this.#fault = error));
    socket.on('close', () => {
      this.#closed.resolve();
      wake();
    });
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed;
  }

  /** What arrived and was not taken as an answer. */
  get unread(): string {
    return this.#unread;
  }

  send(bytes: string | Buffer): void {
    this.#socket.write(bytes);
  }

  /** The next answer, interim ones (1xx) too. */
  async answer(): Promise<RawAnswer> {
    const until = performance.now() + patienceMs;
    for (;;) {
      const parsed = parseAnswer(this.#unread);
      if (parsed) {
        this.#unread = this.#unread.slice(parsed.length);
        return parsed.answer;
      }
      if (!this.isOpen) throw new Error('the connection ended without an answer', { cause: this.#fault });
      await this.more(until - performance.now());
    }
  }

  /** Waits for more bytes, or the end; rejects when neither comes in time. */
  more(ms: number): Promise<void> {
    return within(ms, this.#arrived.promise);
  }

  /** Lets go of what has arrived and was not taken. */
  forget(): void {
    this.#unread = '';
  }

  /** Resolves when the other side has closed in an orderly way. */
  async closed(): Promise<void> {
    await within(patienceMs, this.#closed.promise);
    if (this.#fault) throw new Error('the connection was reset', { cause: this.#fault });
  }

  /** Resolves when the connection does not exist any more on the other side: bytes sent there come back as a reset. */
  async gone(): Promise<void> {
    const prod = setInterval(() => this.#socket.write('x'), 50);
    await within(patienceMs, this.#closed.promise).finally(() => clearInterval(prod));
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

/** All answers to the bytes until the other side closes. */
export async function sendRaw(authority: string, bytes: string | Buffer): Promise<RawAnswer[]> {
  using connection = await RawConnection.open(authority);
  connection.send(bytes);
  await connection.closed();
  const answers: RawAnswer[] = [];
  while (connection.unread) answers.push(await connection.answer());
  return answers;
}

/** Lines of a request head with their ends, and the body behind them. */
export function request(lines: readonly string[], body = ''): string {
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

function parseAnswer(text: string): { answer: RawAnswer; length: number } | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, end).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
  assert.ok(status, `no answer begins with ${first}`);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^:\s]+): (.*)$/.exec(line) ?? [];
    assert.ok(name && !(name.toLowerCase() in headers), `a field is malformed or doubled: ${line}`);
    headers[name.toLowerCase()] = value;
  }
  if (status < 200 || status === 204 || status === 304)
    return { answer: { status, headers, body: '' }, length: end + 4 };
  assert.match(headers['content-length'] ?? '', /^\d+$/, 'every answer has a length');
  const length = end + 4 + Number(headers['content-length']);
  if (text.length < length) return undefined;
  const body = Buffer.from(text.slice(end + 4, length), 'latin1').toString();
  return { answer: { status, headers, body }, length };
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('nothing happened on the connection in time')), ms);
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}
