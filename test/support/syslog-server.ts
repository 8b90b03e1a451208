/**
 * A real rsyslogd of a test's own that takes RFC 5424 over mutual TLS on a free port of the loopback and writes what it gets
 * to a file: chain, number and body, one message a line. It can be stopped, killed and begun again.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { createCertificate } from './certificate.ts';
import { eventually } from './eventually.ts';

/** Where Debian puts services is not on everybody's path. */
const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };

export interface Delivered {
  readonly chain: string;
  /** Undefined for checkpoints, which have a size. */
  readonly seq: number | undefined;
  readonly size: number | undefined;
  readonly priority: string;
  readonly event: string;
  readonly body: string;
}

export interface SyslogServer extends AsyncDisposable {
  readonly port: number;
  /** What a sender needs: files of the authority, and of a certificate of its own. */
  readonly files: { readonly ca: string; readonly certificate: string; readonly key: string };
  readonly pems: { readonly ca: string; readonly certificate: string; readonly key: string };
  /** All that it has written, in the order of its arrival. */
  received(): Promise<Delivered[]>;
  /** Ends the process: at once, or after it has written what it has read. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Begins again on the same port, behind what was written. */
  restart(): Promise<void>;
  /** Stops the process as it is: connections stay open, the kernel takes what fits, and nobody reads. */
  freeze(): void;
  thaw(): void;
}

export async function startSyslogServer(): Promise<SyslogServer> {
  const isThere = spawnSync('rsyslogd', ['-v'], { stdio: 'ignore', env }).status === 0;
  assert.ok(isThere, 'rsyslogd is missing: apt-get install rsyslog-openssl, or node test/support/prepare.ts');
  const directory = await mkdtemp(join(tmpdir(), 'gatehouse-syslog-'));
  const authority = createCertificate('syslog authority');
  const server = createCertificate('localhost', { issuer: authority, purpose: 'serverAuth' });
  const client = createCertificate('gatehouse', { issuer: authority, purpose: 'clientAuth' });
  const port = await freePort();
  const path = (name: string): string => join(directory, name);
  const texts = {
    'ca.crt': authority.certificate,
    'server.crt': server.certificate,
    'server.key': server.key,
    'client.crt': client.certificate,
    'client.key': client.key,
    'rsyslog.conf': settings(directory, port),
  };
  for (const [name, text] of Object.entries(texts)) await writeFile(path(name), text, { mode: 0o600 });
  let child = await run(directory, port);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    // A frozen process takes SIGKILL as it is; any other signal waits until it goes on.
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    await ended;
  };
  return {
    port,
    files: { ca: path('ca.crt'), certificate: path('client.crt'), key: path('client.key') },
    pems: { ca: authority.certificate, certificate: client.certificate, key: client.key },
    received: () => receivedIn(path('received')),
    stop: (signal = 'SIGTERM') => end(signal),
    restart: async () => {
      child = await run(directory, port);
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      await end('SIGKILL');
      await rm(directory, { recursive: true });
    },
  };
}

function settings(directory: string, port: number): string {
  return `global(
  workDirectory="${directory}" maxMessageSize="1m"
  defaultNetstreamDriverCAFile="${directory}/ca.crt"
  defaultNetstreamDriverCertFile="${directory}/server.crt"
  defaultNetstreamDriverKeyFile="${directory}/server.key"
)
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
input(type="imtcp" port="${port}" address="127.0.0.1" ruleset="trail")
template(name="columns" type="string" string="%structured-data%\\t%pri%\\t%msgid%\\t%msg%\\n")
ruleset(name="trail") {
  action(type="omfile" file="${directory}/received" template="columns" asyncWriting="off")
}
`;
}

async function run(directory: string, port: number): Promise<ChildProcess> {
  const child = spawn(
    'rsyslogd',
    ['-n', '-f', join(directory, 'rsyslog.conf'), '-i', join(directory, 'pid')],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env,
    },
  );
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  await once(child, 'spawn');
  await eventually(async () => {
    assert.equal(child.exitCode, null, `rsyslogd ended: ${errors}`);
    const probe = connect(port, '127.0.0.1');
    const reached = await Promise.race([
      once(probe, 'connect').then(() => true),
      once(probe, 'error').then(() => false),
    ]).catch(() => false); // refused: it does not listen yet
    probe.destroy();
    return reached;
  });
  return child;
}

async function receivedIn(file: string): Promise<Delivered[]> {
  if (!existsSync(file)) return [];
  const text = await readFile(file, 'utf8');
  // What stands behind the last newline is still being written.
  const lines = text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .slice(0, -1);
  return lines.map((line) => {
    const [data = '', priority = '', event = '', ...body] = line.split('\t');
    const value = (name: string): string | undefined => new RegExp(`${name}="([^"]*)"`).exec(data)?.[1];
    const number = (name: string): number | undefined => {
      const found = value(name);
      return found === undefined ? undefined : Number(found);
    };
    const chain = value('chain') ?? '';
    return {
      chain,
      seq: number('seq'),
      size: number('size'),
      priority,
      event,
      body: body.join('\t').trimStart(),
    };
  });
}

/** As a SIEM would: of several with the same chain and number the first one counts. */
export function withoutDuplicates(received: readonly Delivered[]): Delivered[] {
  const first = new Map<string, Delivered>();
  for (const each of received)
    if (each.seq !== undefined) first.getOrInsertComputed(`${each.chain}:${each.seq}`, () => each);
  return [...first.values()];
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  assert.ok(typeof address === 'object' && address);
  return address.port;
}
