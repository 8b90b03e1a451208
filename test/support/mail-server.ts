/**
 * A small mail server (RFC 5321) of a test's own on a free port of the loopback: greeting, EHLO, STARTTLS, AUTH PLAIN, one mail
 * after the other. It keeps what it was told and whether that came encrypted.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { createSecureContext, TLSSocket } from 'node:tls';

import type { CertificateAndKey } from './certificate.ts';

export interface Mail {
  readonly isEncrypted: boolean;
  /** As AUTH PLAIN has them; undefined without a log-on. */
  readonly logOn: string | undefined;
  readonly from: string;
  readonly to: readonly string[];
  /** Header fields and text as they came. */
  readonly content: string;
}

export interface MailServerOptions {
  readonly certificate?: CertificateAndKey;
  readonly offersStartTls?: boolean;
  /** TLS from the first byte. */
  readonly isImplicit?: boolean;
  /** What a command is answered in the place of what it should be. */
  readonly answer?: (command: string) => string | undefined;
}

export interface MailServer extends AsyncDisposable {
  readonly port: number;
  readonly mails: Mail[];
  /** Lines that came without encryption. */
  readonly plain: string[];
}

export async function startMailServer(options: MailServerOptions = {}): Promise<MailServer> {
  const { certificate, isImplicit = false } = options;
  const mails: Mail[] = [];
  const plain: string[] = [];
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket.on('error', () => socket.destroy()));
    const upgraded = isImplicit && certificate ? encrypt(socket, certificate) : socket;
    new Session(upgraded, options, mails, plain).greet();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    mails,
    plain,
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function encrypt(socket: Socket, { certificate: cert, key }: CertificateAndKey): TLSSocket {
  const upgraded = new TLSSocket(socket, {
    isServer: true,
    secureContext: createSecureContext({ cert, key }),
  });
  return upgraded.on('error', () => upgraded.destroy());
}

class Session {
  readonly #options: MailServerOptions;
  readonly #mails: Mail[];
  readonly #plain: string[];
  #socket: Socket;
  #logOn: string | undefined;
  #from = '';
  #to: string[] = [];
  /** Lines of the mail that is being received. */
  #content: string[] | undefined;

  constructor(socket: Socket, options: MailServerOptions, mails: Mail[], plain: string[]) {
    this.#socket = socket;
    this.#options = options;
    this.#mails = mails;
    this.#plain = plain;
    this.#listen();
  }

  greet(): void {
    this.#say('220 mail.test');
  }

  #listen(): void {
    const socket = this.#socket;
    createInterface({ input: socket }).on('line', (line) => {
      if (socket === this.#socket) this.#take(line);
    });
  }

  #take(line: string): void {
    if (!(this.#socket instanceof TLSSocket)) this.#plain.push(line);
    if (this.#content) return this.#takeContent(line, this.#content);
    const [verb = '', argument = ''] = line.split(/ (.*)/s);
    const command = verb.toUpperCase();
    const other = this.#options.answer?.(command);
    if (other !== undefined) return this.#say(other);
    this.#carryOut(command, argument);
  }

  #carryOut(command: string, argument: string): void {
    const { certificate, offersStartTls = true } = this.#options;
    if (command === 'EHLO') {
      const offers = certificate && offersStartTls && !(this.#socket instanceof TLSSocket);
      return this.#say(['250-mail.test', ...(offers ? ['250-STARTTLS'] : []), '250 AUTH PLAIN'].join('\r\n'));
    }
    if (command === 'STARTTLS' && certificate) {
      this.#say('220 go ahead');
      this.#socket = encrypt(this.#socket, certificate);
      return this.#listen();
    }
    if (command === 'AUTH') {
      this.#logOn = Buffer.from(argument.replace('PLAIN ', ''), 'base64').toString();
      return this.#say('235 believed');
    }
    if (command === 'MAIL') [this.#from, this.#to] = [addressIn(argument), []];
    if (command === 'RCPT') this.#to.push(addressIn(argument));
    if (command === 'DATA') {
      this.#content = [];
      return this.#say('354 go on');
    }
    if (command === 'QUIT') return void this.#socket.end('221 good bye\r\n');
    this.#say('250 done');
  }

  #takeContent(line: string, content: string[]): void {
    if (line !== '.') return void content.push(line.replace(/^\./, ''));
    this.#content = undefined;
    this.#mails.push({
      isEncrypted: this.#socket instanceof TLSSocket,
      logOn: this.#logOn,
      from: this.#from,
      to: this.#to,
      content: content.join('\n'),
    });
    this.#say('250 taken');
  }

  #say(text: string): void {
    this.#socket.write(`${text}\r\n`);
  }
}

function addressIn(argument: string): string {
  return /<([^>]*)>/.exec(argument)?.[1] ?? '';
}
