/** What Splunk, a webhook and a collector's file get, over real HTTP and a real disk. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempDisposable, open, readFile, rename, stat } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { NotTaken, Refused } from '../../src/delivery/destination.ts';
import { FileDestination } from '../../src/delivery/file.ts';
import { messageOf, type FormatName, type Message } from '../../src/delivery/message.ts';
import { SplunkDestination } from '../../src/delivery/splunk.ts';
import { WebhookDestination } from '../../src/delivery/webhook.ts';
import { anEntry, chainA } from '../audit/written-trail.ts';
import { createCertificate } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { GrowingTrail, ship } from './support.ts';

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Collector extends AsyncDisposable {
  readonly url: string;
  readonly received: Received[];
}

const authority = createCertificate();

async function startCollector(
  answer: (reply: ServerResponse, nth: number) => void = (reply) => void reply.end('{"code":0}'),
  tls = false,
): Promise<Collector> {
  const received: Received[] = [];
  const create = tls
    ? createHttpsServer.bind(undefined, { cert: authority.certificate, key: authority.key })
    : createHttpServer;
  const server = create(({ headers }, reply) => {
    let body = '';
    reply.req.setEncoding('utf8').on('data', (text: string) => (body += text));
    reply.req.on('end', () => {
      received.push({ headers, body });
      answer(reply, received.length);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  return {
    url: `http${tls ? 's' : ''}://127.0.0.1:${address.port}/in`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const author = { host: 'dmz-1', version: '1.2.3' };
const message = (format: FormatName, enveloped: boolean): Message =>
  messageOf(anEntry({ event: 'authn.failure', req: 'r1' }), author, format, enveloped);
const soon = (): AbortSignal => AbortSignal.timeout(5000);

const splunkAt = (url: string, format: FormatName = 'native'): SplunkDestination =>
  new SplunkDestination({
    url,
    tls: {},
    token: () => 'the-token',
    hostname: 'dmz-1',
    format,
    sourceType: 'gatehouse:audit',
    index: 'idm',
  });
const webhookAt = (url: string, format: FormatName = 'native', ca?: string): WebhookDestination =>
  new WebhookDestination({ url, tls: { ca }, secret: () => 'shared', format });

test('Splunk gets events with chain and number as fields, its token, and the record as it stands in the trail', async () => {
  await using collector = await startCollector();
  await using splunk = splunkAt(collector.url);
  await splunk.send([message('native', false), message('native', false)], soon());
  const [{ headers, body } = { headers: {}, body: '' }] = collector.received;
  assert.equal(headers.authorization, 'Splunk the-token');
  const events = body.split('\n');
  assert.equal(events.length, 2);
  const { event, ...around } = JSON.parse(events[0] ?? '');
  assert.deepEqual(around, {
    time: Date.parse('2026-11-21T08:00:00.000Z') / 1000,
    host: 'dmz-1',
    source: 'gw-1',
    sourcetype: 'gatehouse:audit',
    index: 'idm',
    fields: { chain: chainA, seq: 7 },
  });
  assert.equal(event.event, 'authn.failure');
  assert.ok(events[0]?.includes(anEntry({ event: 'authn.failure', req: 'r1' }).line.toString()));
});

test('a form that is no JSON is a text for Splunk', async () => {
  await using collector = await startCollector();
  await using splunk = splunkAt(collector.url, 'cef');
  await splunk.send([message('cef', false)], soon());
  assert.match(
    JSON.parse(collector.received[0]?.body ?? '').event,
    /^CEF:0\|Gatehouse\|Gatehouse\|1\.2\.3\|authn/,
  );
});

test('a webhook gets an array whose signature is over time and body', async () => {
  await using collector = await startCollector();
  await using webhook = webhookAt(collector.url);
  await webhook.send([message('native', true)], soon());
  const [{ headers, body } = { headers: {}, body: '' }] = collector.received;
  const time = String(headers['x-gatehouse-timestamp']);
  assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 60);
  const expected = createHmac('sha256', 'shared').update(`${time}.${body}`).digest('hex');
  assert.equal(headers['x-gatehouse-signature'], `sha256=${expected}`);
  const [element] = JSON.parse(body);
  assert.equal(element.chain, chainA);
  assert.equal(element.record.seq, 7);
});

test('a webhook believes the authorities that it is given, and no others', async () => {
  await using collector = await startCollector(undefined, true);
  await using right = webhookAt(collector.url, 'ecs', authority.certificate);
  await right.send([message('ecs', true)], soon());
  assert.equal(collector.received.length, 1);
  await using wrong = webhookAt(collector.url, 'ecs', createCertificate().certificate);
  await assert.rejects(wrong.send([message('ecs', true)], soon()), NotTaken);
  assert.equal(collector.received.length, 1);
});

for (const [status, kind] of [
  [400, Refused],
  [413, Refused],
  [422, Refused],
  [301, NotTaken],
  [401, NotTaken],
  [403, NotTaken],
  [404, NotTaken],
  [408, NotTaken],
  [429, NotTaken],
  [500, NotTaken],
  [503, NotTaken],
] as const)
  test(`${status} is ${kind === Refused ? 'a refusal of the content' : 'tried again'}`, async () => {
    await using collector = await startCollector((reply) => void reply.writeHead(status).end());
    await using webhook = webhookAt(collector.url);
    await assert.rejects(webhook.send([message('native', true)], soon()), (error) => {
      assert.ok(error instanceof kind);
      assert.equal(error instanceof Refused, kind === Refused);
      assert.equal(error.reason, `http ${status}`);
      return true;
    });
  });

test('Retry-After is taken as seconds and as a date', async () => {
  const date = new Date(Date.now() + 90_000).toUTCString();
  await using collector = await startCollector(
    (reply, nth) => void reply.writeHead(503, { 'retry-after': nth === 1 ? '7' : date }).end(),
  );
  await using webhook = webhookAt(collector.url);
  const asked = async (): Promise<number> => {
    const error = await webhook.send([message('native', true)], soon()).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof NotTaken);
    return error.retryAfterMs;
  };
  assert.equal(await asked(), 7000);
  assert.ok(Math.abs((await asked()) - 90_000) < 5000);
});

test('a collector that never answers is given up at the deadline', async () => {
  await using collector = await startCollector(() => {});
  await using webhook = webhookAt(collector.url);
  const sending = webhook.send([message('native', true)], AbortSignal.timeout(200));
  await assert.rejects(sending, { reason: 'deadline' });
});

test('batches go through the proxy that the destination names', async () => {
  await using collector = await startCollector(undefined, true);
  const asked: string[] = [];
  const proxy = createHttpServer().on('connect', ({ url = '' }, socket) => {
    asked.push(url);
    const [host, port] = url.split(':');
    const up = connect(Number(port), host, () => void socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    up.pipe(socket).pipe(up);
  });
  await once(proxy.listen(0, '127.0.0.1'), 'listening');
  const address = proxy.address();
  assert.ok(typeof address === 'object' && address);
  {
    await using webhook = new WebhookDestination({
      url: collector.url,
      tls: { ca: authority.certificate },
      secret: () => 'shared',
      format: 'native',
      outboundProxy: { url: `http://127.0.0.1:${address.port}`, noProxy: [] },
    });
    await webhook.send([message('native', true)], soon());
  }
  assert.deepEqual(asked, [new URL(collector.url).host]);
  assert.equal(collector.received.length, 1);
  proxy.closeAllConnections();
  proxy.close();
});

test('a webhook that answers 503 for a while gets everything in order', async () => {
  await using collector = await startCollector(
    (reply, nth) => void reply.writeHead(nth < 3 ? 503 : 204).end(),
  );
  await using trail = await GrowingTrail.begin();
  await trail.grow(40);
  await trail.close();
  await using _ = ship(trail, webhookAt(collector.url));
  const taken = (): number[] =>
    collector.received
      .slice(2)
      .flatMap(({ body }) => JSON.parse(body))
      .map(({ record }) => record.seq)
      .filter((seq) => seq !== undefined);
  const count = (await trail.lines()).length;
  await eventually(async () => taken().length >= count, 20_000);
  assert.deepEqual(
    taken(),
    Array.from({ length: count }, (_each, n) => n + 1),
  );
});

test('a file that somebody moves away is followed by a new one', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-file-'));
  const path = join(directory.path, 'audit.jsonl');
  await using file = new FileDestination(path);
  await file.send([message('native', true)], soon());
  await rename(path, `${path}.1`);
  await file.send([message('native', true), message('native', true)], soon());
  assert.equal((await readFile(`${path}.1`, 'utf8')).split('\n').length, 2);
  assert.equal((await readFile(path, 'utf8')).split('\n').length, 3);
  assert.equal((await stat(path)).mode & 0o777 & ~0o640, 0);
});

test('a pipe without a reader is failing, and one that is read gets the lines', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-pipe-'));
  const path = join(directory.path, 'pipe');
  execFileSync('mkfifo', [path]);
  await using file = new FileDestination(path);
  await assert.rejects(file.send([message('native', true)], soon()), { reason: 'ENXIO' });
  await using reader = await open(path, 'r+');
  await file.send([message('native', true)], soon());
  const { bytesRead, buffer } = await reader.read(Buffer.alloc(65_536));
  assert.equal(JSON.parse(buffer.toString('utf8', 0, bytesRead)).record.seq, 7);
});

test('a pipe that is full is given up at the deadline, and the torn line is ended', async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), 'gatehouse-pipe-'));
  const path = join(directory.path, 'pipe');
  execFileSync('mkfifo', [path]);
  await using reader = await open(path, 'r+');
  await using file = new FileDestination(path);
  const many = Array.from({ length: 1000 }, () => message('native', true));
  await assert.rejects(file.send(many, AbortSignal.timeout(200)), { reason: 'deadline' });
  const { buffer: first, bytesRead: length } = await reader.read(Buffer.alloc(1 << 20));
  await file.send([message('native', true)], soon());
  const { buffer, bytesRead } = await reader.read(Buffer.alloc(1 << 20));
  const lines = `${first.toString('utf8', 0, length)}${buffer.toString('utf8', 0, bytesRead)}`.split('\n');
  assert.equal(lines.pop(), '');
  assert.equal(JSON.parse(lines.pop() ?? '').record.seq, 7);
  const torn = lines.pop() ?? '';
  assert.throws(() => JSON.parse(torn));
  lines.forEach((line) => JSON.parse(line));
});
