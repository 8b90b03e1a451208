/**
 * Secrets in every place where a call can have one, in calls that end in every way: none of them is to be found in anything
 * that the gateway writes or shows. The gateway is a process of its own with a real Redis, so that all of its output counts.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';

import { Redis } from 'ioredis';
import { parse, stringify } from 'yaml';

import { temporaryDirectory } from '../audit/support.ts';
import { systemId } from '../support/gateway.ts';
import { prepareInstallation } from '../support/installation.ts';
import { startRedis } from '../support/redis.ts';
import { sendScim, startUpstream, type Answer } from '../support/upstream.ts';

const base = `/ipsproxy/service/api/v1/scim/${systemId}`;
const core = 'urn:ietf:params:scim:schemas:core:2.0:User';
const patch = (...operations: unknown[]) => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: operations,
});

interface Place {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const json = (method: string, path: string, content: unknown): Place => ({
  method,
  path: `${base}${path}`,
  body: JSON.stringify(content),
});
const header = (name: string, value: string): Place => ({
  method: 'GET',
  path: `${base}/Users/7`,
  headers: { [name]: value },
});
const form = (secret: string, more: string): Place => ({
  method: 'POST',
  path: '/oauth2/token',
  body: `grant_type=client_credentials&${more}=${secret}`,
  headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: '' },
});

const manyOf = (s: string) => Array.from({ length: 30 }, (_, at) => ({ value: `${s}-${at}`, display: s }));

/** The places of facts 2.1. */
const places: Readonly<Record<string, (secret: string) => Place>> = {
  'a password': (s) => json('POST', '/Users', { userName: 'u', password: s }),
  'a password in another case': (s) => json('PUT', '/Users/7', { userName: 'u', PassWord: s }),
  'a password deep inside': (s) => json('POST', '/Users', { a: { b: [{ c: { password: s } }] } }),
  'a password with its schema': (s) => json('POST', '/Users', { [`${core}:password`]: s }),
  'PATCH without a path': (s) => json('PATCH', '/Users/7', patch({ op: 'replace', value: { password: s } })),
  'PATCH with a path': (s) => json('PATCH', '/Users/7', patch({ op: 'replace', path: 'password', value: s })),
  'the path of PATCH': (s) => json('PATCH', '/Users/7', patch({ op: 'replace', path: s, value: 1 })),
  'a filter in a path': (s) =>
    json('PATCH', '/Users/7', patch({ op: 'remove', path: `emails[value eq "${s}"]` })),
  'an extension': (s) => json('POST', '/Users', { 'urn:example:2.0:User': { pin: s, apiToken: s, otp: s } }),
  'the name of an attribute': (s) => json('POST', '/Users', { [s]: 1, [`urn:${s}:2.0:User`]: { [s]: s } }),
  'an escaped name': (s) => ({ ...json('POST', '/Users', 0), body: `{"pass\\u0077ord":"${s}"}` }),
  'a name given twice': (s) => ({ ...json('POST', '/Users', 0), body: `{"password":"x","password":"${s}"}` }),
  'what is no JSON': (s) => ({ ...json('POST', '/Users', 0), body: `{"password":"${s}"` }),
  'what is not UTF-8': (s) => ({ ...json('POST', '/Users', 0), body: `{"password":"${s}\u00ff"}` }),
  'a filter': (s) => ({ method: 'GET', path: `${base}/Users?filter=password%20eq%20%22${s}%22` }),
  'a filter by a name': (s) => ({ method: 'GET', path: `${base}/Users?filter=userName%20eq%20%22${s}%22` }),
  'a parameter': (s) => ({ method: 'GET', path: `${base}/Users?${s}=${s}` }),
  'an id': (s) => ({ method: 'GET', path: `${base}/Users/${s}` }),
  'a system': (s) => ({ method: 'GET', path: `/ipsproxy/service/api/v1/scim/${s}/Users` }),
  'a path': (s) => ({ method: 'GET', path: `/${s}/..%2f${s}` }),
  'userinfo in the target': (s) => ({ method: 'GET', path: `http://u:${s}@127.0.0.1${base}/Users` }),
  'a secret of a log-on': (s) =>
    header('authorization', `Basic ${Buffer.from(`caller:${s}`).toString('base64')}`),
  'a name of a log-on': (s) => header('authorization', `Basic ${Buffer.from(`${s}:x`).toString('base64')}`),
  'a bearer token': (s) => header('authorization', `Bearer ${s}`),
  'an unknown scheme': (s) => header('authorization', `Secret ${s}`),
  'credentials for a proxy': (s) => header('proxy-authorization', `Basic ${s}`),
  'a cookie': (s) => header('cookie', `session=${s}`),
  'a condition': (s) => header('if-match', `"${s}"`),
  'a language': (s) => header('accept-language', s),
  'a field of its own': (s) => header('x-secret', s),
  'a media type': (s) => ({ ...json('POST', '/Users', {}), headers: { 'content-type': `text/${s}` } }),
  'a host': (s) => header('host', `${s}.example`),
  'a client secret': (s) => form(s, 'client_id=caller&client_secret'),
  'an assertion': (s) => form(s, 'client_assertion'),
  'an Idempotency-Key': (s) => ({
    ...json('PUT', '/Users/8', { userName: s }),
    headers: { 'idempotency-key': `"${s}"` },
  }),
  'an Idempotency-Key that is none': (s) => ({
    ...json('POST', '/Users', { userName: s }),
    headers: { 'idempotency-key': `"${s}" "` },
  }),
  'a group that is put': (s) =>
    json('PUT', `/Groups/${s}`, { displayName: s, members: [{ value: s, display: s }] }),
  'members that a filter removes': (s) =>
    json('PATCH', `/Groups/${s}`, patch({ op: 'remove', path: `members[display eq "${s}"]` })),
  'members that are removed in masses': (s) =>
    json('PATCH', `/Groups/${s}`, patch({ op: 'remove', path: 'members', value: manyOf(s) })),
  'an account that is deleted': (s) => ({ method: 'DELETE', path: `${base}/Users/${s}` }),
  'an account that is switched off': (s) => json('PUT', `/Users/${s}`, { userName: s, active: false }),
  'a member': (s) => json('PATCH', '/Groups/7', patch({ op: 'add', path: 'members', value: [{ value: s }] })),
};

type Ending = 'success' | 'refusal' | 'failure' | 'nonsense' | 'crash';

/** Whatever comes back has the secret in it once more, as errors of backends do. */
const answers: Readonly<Record<Ending, Answer>> = {
  success: ({ body, url }, response) =>
    sendScim(response, 200, { schemas: [], echoed: [body, url] }, { 'set-cookie': `s=${body}` }),
  refusal: ({ body, url }, response) =>
    sendScim(response, 400, {
      schemas: ['urn:ietf:params:scim:api:messages:2.0:Error'],
      status: '400',
      detail: `refused ${body} ${url}`,
    }),
  failure: ({ body, url }, response) =>
    void response
      .writeHead(500, { 'content-type': 'text/plain', 'x-request-id': 'e1' })
      .end(`${body} ${url}`),
  nonsense: ({ body }, _response, { socket }) =>
    void socket.end(`HTTP/1.1 200 ${body.slice(0, 200)}\r\nbroken`),
  crash: (_request, _response, { socket }) => void socket.resetAndDestroy(),
};

function send(
  url: string,
  { method, path, body, headers = {} }: Place,
  authorization: string,
): Promise<string> {
  const { promise, resolve: done } = Promise.withResolvers<string>();
  const { hostname, port } = new URL(url);
  const fields: Record<string, string> = {
    authorization,
    ...(body !== undefined && { 'content-type': 'application/scim+json' }),
    ...headers,
  };
  if (fields['authorization'] === '') delete fields['authorization'];
  const request = http.request({
    hostname,
    port,
    method,
    path,
    headers: fields,
  });
  request.on('response', (response) => {
    let text = JSON.stringify(response.headers);
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    response.once('close', () => done(`${response.statusCode} ${text}`));
  });
  // The gateway may end the connection of whom it does not understand.
  request.once('error', () => done(''));
  request.end(body === undefined ? undefined : Buffer.from(body, 'latin1'));
  return promise;
}

/** Its whole output, and its end by a signal that lets it write nothing more. */
async function startGateway(file: string) {
  const main = resolve(import.meta.dirname, '../../src/main.ts');
  const child = spawn(process.execPath, [main, 'start', '--config', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const serving = Promise.withResolvers<{ url: string; admin: string }>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.includes('"message":"serving"')) serving.resolve(JSON.parse(line));
  });
  void exited.then(() => serving.reject(new Error(`it ended before it served: ${output}`)));
  after(() => void child.kill('SIGKILL'));
  return {
    ...(await serving.promise),
    output: () => output,
    async end(signal: NodeJS.Signals) {
      child.kill(signal);
      await exited;
    },
  };
}

async function dump(url: string): Promise<string> {
  const redis = new Redis(url);
  try {
    const keys = await redis.keys('*');
    // A dump may be compressed, so it is for what is no text alone.
    const valueOf = (key: string) => redis.getBuffer(key).catch(() => redis.dumpBuffer(key));
    const values = await Promise.all(keys.map(valueOf));
    return [...keys, ...values.map((value) => value?.toString('latin1') ?? '')].join('\n');
  } finally {
    redis.disconnect();
  }
}

async function contentsOf(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return (
    await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')))
  ).join('\n');
}

/** As it was sent, and as it may have been written. */
function spellings(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [secret, bytes.toString('base64').slice(0, 20), bytes.toString('hex')];
}

const rounds = 2;

test('a secret is nowhere, wherever it stood and however its call ended', { timeout: 240_000 }, async () => {
  await using redis = await startRedis();
  await using tenant = await startUpstream();
  const directory = await temporaryDirectory();
  const { file, authorization } = await prepareInstallation(directory, tenant.url);
  const document: Record<string, unknown> = parse(await readFile(file, 'utf8'));
  const cache = { store: 'redis', redis: { url: redis.url } };
  // A low ceiling, so that some are held; the others go up.
  const guard = { deletes: { most: 3 }, deactivations: { most: 3, above: 'refuse' } };
  // What is unknown is looked for at once only: there are hundreds of them.
  const systems = Object.fromEntries(
    Object.entries(document['systems'] as Record<string, object>).map(([id, system]) => [
      id,
      { ...system, repeats: { lookFor: '0ms' } },
    ]),
  );
  await writeFile(file, stringify({ ...document, systems, cache, guard, log: { level: 'debug' } }));
  const gateway = await startGateway(file);
  const secrets: (readonly [where: string, secret: string, answer: string])[] = [];
  let inRedis = '';
  for (const [ending, answer] of Object.entries(answers)) {
    tenant.answer = answer;
    for (let round = 0; round < rounds; round += 1)
      for (const [name, place] of Object.entries(places)) {
        const secret = `Canary${randomBytes(12).toString('hex')}`;
        const told = await send(gateway.url, place(secret), authorization);
        secrets.push([`${name}, ${ending}`, secret, told]);
      }
    inRedis += await dump(redis.url);
  }
  const metrics = await (await fetch(`${gateway.admin}/metrics`)).text();
  await gateway.end('SIGKILL');
  const trail = await contentsOf(join(directory, 'audit'));
  assert.match(inRedis, /^gh1:/m);
  assert.match(inRedis, /^gr1:/m);
  assert.match(inRedis, /^gw1:/m);
  assert.match(trail, /"guard.exceeded"/);
  assert.match(trail, /"password":true/);
  assert.match(metrics, /gatehouse_calls_total/);
  const sinks = { trail, output: gateway.output(), metrics, inRedis };
  const hits = secrets.flatMap(([where, secret]) =>
    Object.entries(sinks)
      .filter(([, text]) => spellings(secret).some((spelling) => text.includes(spelling)))
      .map(([sink]) => `${where}: in ${sink}`),
  );
  assert.deepEqual(hits, []);
  // What the tenant itself says passes when it is SCIM; what the gateway says has nothing of the call.
  const quoted = secrets.filter(
    ([where, secret, told]) => !/, (?:success|refusal)$/.test(where) && told.includes(secret),
  );
  assert.deepEqual(
    quoted.map(([where]) => where),
    [],
  );
  assert.ok(secrets.length >= 50 * Object.keys(answers).length);
});
