/** What keeps somebody else's page, a guesser or a stolen address from using a person's session. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';

import { cookieOf, logOnLocally, personOf, startConsole, type TestConsole } from '../support/console.ts';
import { eventually } from '../support/eventually.ts';

let started: TestConsole;

before(async () => {
  started = await startConsole();
});
after(() => started[Symbol.asyncDispose]());

const reason = { reason: 'stale after a restore' };
const forget = '/systems/b1f0e7a2-0000-4000-8000-000000000001/forget';

test('a change without the session’s token is refused', async () => {
  const operator = await started.logOn('operator');
  for (const token of ['', 'x', operator.session.csrf.slice(1)])
    assert.equal((await operator.ask('POST', forget, reason, { 'x-csrf-token': token })).status, 403);
  assert.deepEqual(await started.events('console.acted'), []);
});

test('the token of another session does not count', async () => {
  const [operator, other] = [await started.logOn('operator'), await started.logOn('administrator')];
  const response = await operator.ask('POST', forget, reason, { 'x-csrf-token': other.session.csrf });
  assert.equal(response.status, 403);
});

for (const headers of [
  { origin: 'https://evil.example.com' },
  { origin: 'null' },
  { 'sec-fetch-site': 'cross-site' },
  { 'sec-fetch-site': 'same-site' },
])
  test(`a request with ${JSON.stringify(headers)} is refused even with cookie and token`, async () => {
    const operator = await started.logOn('operator');
    assert.equal((await operator.ask('POST', forget, reason, headers)).status, 403);
    assert.equal((await operator.ask('GET', '/overview', undefined, headers)).status, 403);
  });

test('a log-on from another page is refused, so that nobody works in somebody else’s session', async () => {
  const response = await logOnLocally(started.url, 'operator', started.secret, {
    origin: 'https://evil.example.com',
  });
  assert.equal(response.status, 403);
  assert.deepEqual(response.headers.getSetCookie(), []);
});

test('a form cannot log on: its body has another type', async () => {
  const response = await logOnLocally(started.url, 'operator', started.secret, {
    'content-type': 'text/plain',
  });
  assert.equal(response.status, 415);
});

test('a log-on makes a new session and ends the one that the browser had', async () => {
  const first = await started.logOn('operator');
  const response = await logOnLocally(started.url, 'administrator', started.secret, { cookie: first.cookie });
  assert.notEqual(cookieOf(response), first.cookie);
  assert.equal((await first.ask('GET', '/overview')).status, 401);
});

test('an id that somebody chose is no session', async () => {
  const planted = 'gatehouse-session=planted';
  const response = await logOnLocally(started.url, 'operator', started.secret, { cookie: planted });
  assert.notEqual(cookieOf(response), planted);
  const asked = await fetch(`${started.url}/console/api/overview`, { headers: { cookie: planted } });
  assert.equal(asked.status, 401);
});

test('two session cookies are none, because nobody can say which is ours', async () => {
  const operator = await started.logOn('operator');
  const response = await operator.ask('GET', '/overview', undefined, {
    cookie: `${operator.cookie}; gatehouse-session=other`,
  });
  assert.equal(response.status, 401);
});

test('a log-off ends the session and takes the cookie away', async () => {
  const operator = await started.logOn('operator');
  const response = await operator.ask('POST', '/log-off');
  assert.equal(response.status, 204);
  assert.match(response.headers.getSetCookie().join(), /gatehouse-session=;.*Max-Age=0/);
  assert.equal((await operator.ask('GET', '/overview')).status, 401);
  await started.untilTold('console.logged_off', { user: 'operator', reason: 'asked' });
});

test('the cookie is hidden from scripts and from other sites', async () => {
  const response = await logOnLocally(started.url, 'operator', started.secret);
  const [cookie = ''] = response.headers.getSetCookie();
  assert.match(cookie, /^gatehouse-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
});

test('with TLS the cookie is bound to this host and to TLS', async () => {
  const origin = 'https://console.example.com';
  await using behind = await startConsole({ publicUrl: origin });
  const response = await logOnLocally(behind.url, 'operator', behind.secret, { origin });
  const [cookie = ''] = response.headers.getSetCookie();
  assert.match(cookie, /^__Host-gatehouse-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
  assert.match(response.headers.get('strict-transport-security') ?? '', /max-age=31536000/);
});

test('a host name that somebody pointed here gets nothing', async () => {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  http
    .get(`${started.url}/console/api/session`, { headers: { host: 'evil.example.com' } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
    .once('error', () => resolve(undefined));
  assert.equal(await promise, 421);
});

for (const path of ['/console/', '/console/api/session', '/console/api/overview', '/console/nothing.js'])
  test(`${path} comes with all protection`, async () => {
    const { headers } = await fetch(`${started.url}${path}`);
    const policy = headers.get('content-security-policy') ?? '';
    for (const part of [
      "default-src 'none'",
      "script-src 'self'",
      "frame-ancestors 'none'",
      "base-uri 'none'",
    ])
      assert.ok(policy.split('; ').includes(part), part);
    assert.doesNotMatch(policy, /script-src[^;]*unsafe|https?:|\*/);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin');
    assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin');
    assert.match(headers.get('cache-control') ?? '', /no-store|no-cache/);
  });

test('a wrong secret and an account that does not exist are told alike', async () => {
  const answers = await Promise.all(
    ['operator', 'nobody'].map(async (user) => {
      const response = await logOnLocally(started.url, user, 'wrong');
      return [response.status, await response.text()];
    }),
  );
  assert.deepEqual(answers[0], answers[1]);
  assert.equal(answers[0]?.[0], 401);
});

test('the secret of a technical user opens no console', async () => {
  const [user = '', secret = ''] = Buffer.from(started.gateway.logOn().slice(6), 'base64')
    .toString()
    .split(':');
  assert.equal((await logOnLocally(started.url, user, secret)).status, 401);
});

test('who guesses is slowed down, and whoever has the right generated secret is not', async () => {
  await using guessed = await startConsole();
  const statuses: number[] = [];
  for (let at = 0; at < 30 && statuses.at(-1) !== 429; at += 1)
    statuses.push((await logOnLocally(guessed.url, 'operator', `guess-${at}`)).status);
  assert.equal(statuses.at(-1), 429);
  await personOf(guessed.url, await logOnLocally(guessed.url, 'operator', guessed.secret));
  await guessed.untilTold('console.log_on_refused', {
    by: 'local',
    reason: 'wrong user or secret',
    source: '127.0.0.1',
  });
  assert.doesNotMatch(JSON.stringify(await guessed.gateway.records()), /guess-/);
});

/** Resolves to how many refusals have a record of their own, when the trail tells of all of them. */
async function untilAllTold(flooded: TestConsole, event: string, count: number): Promise<number> {
  const own = async (): Promise<number> => (await flooded.events(event)).length;
  const gathered = async (): Promise<number> =>
    (await flooded.events('request.rejected_many'))
      .filter((told) => told['event'] === event)
      .reduce((sum, told) => sum + Number(told['count'] ?? 0), 0);
  await eventually(async () => (await own()) + (await gathered()) === count, 40_000);
  return own();
}

// At the same time, because both wait for the next account of what was gathered.
test('who is refused without end', { concurrency: true }, async (t) => {
  const guessing = t.test('fills no trail with guesses, all of which are counted', async () => {
    await using flooded = await startConsole();
    for (let at = 0; at < 250; at += 1)
      await (await logOnLocally(flooded.url, 'operator', 'guessed')).body?.cancel();
    assert.ok((await untilAllTold(flooded, 'console.log_on_refused', 250)) <= 130);
  });
  const reaching = t.test('fills no trail with what the role does not reach', async () => {
    await using flooded = await startConsole();
    const operator = await flooded.logOn('operator');
    for (let at = 0; at < 250; at += 1)
      assert.equal((await operator.ask('GET', '/audit/records')).status, 403);
    assert.ok((await untilAllTold(flooded, 'console.denied', 250)) <= 130);
  });
  await Promise.all([guessing, reaching]);
});

test('a log-on with a local account is an event of its own', async () => {
  await started.logOn('auditor');
  await started.untilTold('console.local_log_on', { user: 'auditor', role: 'auditor' });
});

test('a body without end or of another shape is refused', async () => {
  const operator = await started.logOn('operator');
  assert.equal((await operator.ask('POST', forget, { reason: 'x'.repeat(20_000) })).status, 413);
  for (const body of [{}, { reason: 'x' }, { ...reason, more: 1 }, [reason], null])
    assert.equal((await operator.ask('POST', forget, body)).status, 400);
});

test('who asks on without waiting for an answer is cut off, so that a segment of questions costs one answer', async () => {
  const { hostname, host, port } = new URL(started.url);
  const socket = connect(Number(port), hostname);
  let told = '';
  socket.setEncoding('latin1').on('data', (text: string) => (told += text));
  socket.write(`GET /console/ HTTP/1.1\r\nhost: ${host}\r\n\r\n`.repeat(500));
  // It may end in the midst of what is still on its way.
  await new Promise((resolve) => socket.on('error', () => undefined).once('close', resolve));
  assert.ok(told.split('HTTP/1.1 200').length <= 2, `${told.length} bytes`);
});

test('questions one after the other go over one connection', async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (): Promise<boolean> => {
    const request = http.get(`${started.url}/console/api/session`, { agent });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    await text(response);
    return request.reusedSocket;
  };
  assert.deepEqual([await ask(), await ask(), await ask()], [false, true, true]);
  agent.destroy();
});

test('the administrative listener takes so many connections that calls keep their descriptors', async () => {
  const { hostname, port } = new URL(started.url);
  let closed = 0;
  const sockets = Array.from({ length: 300 }, () =>
    connect(Number(port), hostname)
      .on('error', () => undefined)
      .once('close', () => (closed += 1)),
  );
  await eventually(async () => closed >= 300 - 256);
  for (const socket of sockets) socket.destroy();
});
