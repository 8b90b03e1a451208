/** `gatehouse witness`: a small service on another host that lets no gateway's trail go back on what it has shown. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { cosignatureType, encodeKey, parseKey, type NoteKey } from '../audit/note.ts';
import { SigningKey } from '../audit/signing-key.ts';
import { Witness, type Answer } from '../audit/witness.ts';
import { describeError, log } from '../log.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import { refuseRoot } from './root.ts';

export const help = `usage: gatehouse witness --directory DIR [--listen HOST:PORT] [--name NAME] [--allow-root]

Remembers how far each gateway's trail has come, takes a new checkpoint only with the proof that lines were added and
none was changed or taken away, and cosigns it with the time (C2SP tlog-witness). Run it where the gateway's
administrators cannot write. It ends on SIGTERM and SIGINT.

  --directory DIR      its key, its memory, and logs/: a copy of keys.pub of each instance. With several installations
                       each has a directory of its own below logs/, whose gateways learn of each other
  --listen HOST:PORT   127.0.0.1:8090 when left out; it speaks plain HTTP, because all that it takes and gives is signed
  --name NAME          its name in cosignatures, at the first start; witness/<host> when left out
  --allow-root         run as root, which is refused otherwise where others reach it

There is no --json: its log is JSON already, one object a line.
The last cosigned checkpoint of a log is at /<origin>/checkpoint, and fits 'gatehouse audit verify --checkpoint'.

examples:
  gatehouse witness --directory /var/lib/gatehouse-witness --listen 10.1.2.3:8090
  curl http://10.1.2.3:8090/gatehouse/audit/00112233445566778899aabbccddeeff/checkpoint

exit codes: 0 ended in order, 1 did not start (the reason is told), 4 wrong usage
`;

const mostBytes = 64 * 1024;
const callTimeMs = 10_000;

export async function run(args: readonly string[]): Promise<number> {
  const options = {
    directory: { type: 'string' },
    listen: { type: 'string', default: '127.0.0.1:8090' },
    name: { type: 'string' },
    'allow-root': { type: 'boolean' },
  } as const;
  const given = readArguments(args, options, help);
  if (!given) return 0;
  const { directory, listen, name = `witness/${hostname()}` } = given.values;
  const [, host = '', port = ''] = /^(?:\[?([^\]\s]+?)\]?):(\d{1,5})$/.exec(listen) ?? [];
  if (!directory) throw new WrongUsage('--directory DIR is needed', help);
  if (!host) throw new WrongUsage('--listen is HOST:PORT', help);
  if (!given.values['allow-root']) refuseRoot(host);
  const witness = await openWitness(directory, name);
  const server = serve(witness);
  server.listen(Number(port), host);
  await once(server, 'listening');
  const address = server.address();
  const at = typeof address === 'object' && address ? address.port : port;
  process.stdout.write(`The witness listens on http://${host}:${at}\n  ${encodeKey(witness.verifier)}\n`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  server.close();
  server.closeAllConnections();
  return 0;
}

/** Its key is made at the first start; with the key it keeps its name. */
export async function openWitness(directory: string, name: string): Promise<Witness> {
  await mkdir(join(directory, 'logs'), { recursive: true, mode: 0o750 });
  const [keyFile, publicFile] = [join(directory, 'witness.key'), join(directory, 'witness.pub')];
  await writeOnce(keyFile, randomBytes(32), 0o600);
  const key = SigningKey.from(await readFile(keyFile));
  const verifier: NoteKey = { name, type: cosignatureType, publicKey: key.publicKey };
  if (!parseKey(encodeKey(verifier))) throw new Error(`${name} is no name: no blanks and no plus signs`);
  await writeOnce(publicFile, Buffer.from(`${encodeKey(verifier)}\n`), 0o644);
  const told = parseKey((await readFile(publicFile, 'utf8')).trim());
  if (told?.publicKey !== key.publicKey) throw new Error(`${publicFile} does not belong to ${keyFile}`);
  return new Witness(directory, told.name, key);
}

async function writeOnce(path: string, bytes: Buffer, mode: number): Promise<void> {
  try {
    await writeFile(path, bytes, { mode, flag: 'wx', flush: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

export function serve(witness: Witness): Server {
  const times = { requestTimeout: callTimeMs, headersTimeout: callTimeMs };
  return createServer(times, (request, response) => void respond(witness, request, response));
}

async function respond(witness: Witness, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const {
    status,
    body,
    type = 'text/plain; charset=utf-8',
  } = await answer(witness, request).catch((error: unknown): Answer => {
    log.error('a checkpoint could not be judged', describeError(error));
    return { status: 500, body: 'The witness failed.\n' };
  });
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}

async function answer(witness: Witness, request: IncomingMessage): Promise<Answer> {
  const { method, url = '' } = request;
  if (method === 'POST' && url === '/add-checkpoint') {
    const body = await readBody(request);
    if (body === undefined) return { status: 413, body: 'That is too long.\n' };
    const found = await witness.add(body);
    const level = found.status === 200 ? 'debug' : 'warn';
    log[level]('checkpoint', { status: found.status, origin: /\n\n?(gatehouse\/\S+)\n/.exec(body)?.[1] });
    return found;
  }
  const [, origin, what] = /^\/(\S+)\/(checkpoint|siblings)$/.exec(url) ?? [];
  const found = method === 'GET' && origin ? await look(witness, origin, what) : undefined;
  return found ?? { status: 404, body: 'Not here.\n' };
}

async function look(witness: Witness, origin: string, what = ''): Promise<Answer | undefined> {
  if (what === 'checkpoint') {
    const note = await witness.latest(origin);
    return note === undefined ? undefined : { status: 200, body: note };
  }
  const notes = await witness.siblings(origin);
  return notes && { status: 200, body: JSON.stringify(notes), type: 'application/json' };
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > mostBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
