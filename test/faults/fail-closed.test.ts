/**
 * What callers get while the trail cannot be written, cell by cell of the table in docs/audit-format.md: a whole gateway
 * through HTTP, whose audit directory is taken away and brought back.
 */
import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';

import { verifyTrail } from '../../src/audit/verify.ts';
import { instance, readRecords, type AuditRecord } from '../audit/support.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { sendScim, startUpstream, type TestUpstream } from '../support/upstream.ts';

type Mode = 'fail-closed' | 'fail-closed-writes';
const modes: readonly Mode[] = ['fail-closed', 'fail-closed-writes'];

class Faulty implements AsyncDisposable {
  readonly upstream: TestUpstream;
  readonly gateway: TestGateway;
  #away = false;

  private constructor(upstream: TestUpstream, gateway: TestGateway) {
    this.upstream = upstream;
    this.gateway = gateway;
  }

  static async start(mode: Mode): Promise<Faulty> {
    const upstream = await startUpstream();
    const audit = { directory: 'audit', instance, keyFile: 'keys/audit.key', ballast: '0B', mode };
    return new Faulty(upstream, await startGateway({ upstream: upstream.url, config: { audit } }));
  }

  get #directory(): string {
    return join(this.gateway.auditDirectory, instance);
  }

  async takeAway(): Promise<void> {
    await rename(this.#directory, `${this.#directory}-away`);
    this.#away = true;
  }

  /** Once it is recorded that nothing could be, whoever asks is told at once. */
  async takeAwayAndFail(): Promise<void> {
    await this.takeAway();
    await this.gateway.call('DELETE', '/Users/first');
  }

  async bringBack(): Promise<void> {
    if (this.#away) await rename(`${this.#directory}-away`, this.#directory);
    this.#away = false;
    await eventually(async () => (await this.records()).some(({ event }) => event === 'audit.recovered'));
    // The record is on the disk before the gateway knows that it is.
    await eventually(async () => (await fetch(`${this.gateway.adminUrl}/health/ready`)).ok);
  }

  /** Of what goes up from now on, the answer comes when the disk is gone. */
  breakWhileAsked(): void {
    this.upstream.answer = (_request, response) =>
      void this.takeAway().then(() => sendScim(response, 200, { id: '1' }));
  }

  records(): Promise<AuditRecord[]> {
    return readRecords(this.gateway.auditDirectory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#away) await this.bringBack();
    await this.gateway[Symbol.asyncDispose]();
    await this.upstream[Symbol.asyncDispose]();
  }
}

const userBody = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: 'a' };

async function refused(response: Response): Promise<void> {
  assert.equal(response.status, 503);
  assert.ok(response.headers.get('retry-after'));
  await response.arrayBuffer();
}

const ofCall = (records: readonly AuditRecord[], id: string | null): string[] =>
  records
    .filter((record) => record['req'] === id)
    .map(({ event }) => event)
    .filter((event) => event !== 'authn.success');

for (const mode of modes) {
  test(`${mode}: a write is refused before it goes up`, async () => {
    await using faulty = await Faulty.start(mode);
    await faulty.takeAwayAndFail();
    await refused(await faulty.gateway.call('PUT', '/Users/1', userBody));
    assert.deepEqual(faulty.upstream.received, []);
  });

  test(`${mode}: a write that went up gets its true answer, and its records are made up`, async () => {
    await using faulty = await Faulty.start(mode);
    faulty.breakWhileAsked();
    const response = await faulty.gateway.call('PUT', '/Users/1', userBody);
    assert.equal(response.status, 200);
    const id = response.headers.get('x-request-id');
    await faulty.bringBack();
    assert.deepEqual(ofCall(await faulty.records(), id), [
      'upstream.intent',
      'upstream.outcome',
      'request.outcome',
    ]);
  });

  test(`${mode}: a write is refused until the trail can be written again, and then taken`, async () => {
    await using faulty = await Faulty.start(mode);
    await faulty.takeAwayAndFail();
    await refused(await faulty.gateway.call('PUT', '/Users/1', userBody));
    await faulty.bringBack();
    assert.equal((await faulty.gateway.call('PUT', '/Users/1', userBody)).status, 200);
  });

  test(`${mode}: whoever is not known is told nothing`, async () => {
    await using faulty = await Faulty.start(mode);
    await faulty.takeAwayAndFail();
    await refused(await faulty.gateway.call('GET', '/Users/1', undefined, { authorization: 'Basic eDp5' }));
  });
}

test('fail-closed: a read is refused before it goes up', async () => {
  await using faulty = await Faulty.start('fail-closed');
  await faulty.takeAwayAndFail();
  await refused(await faulty.gateway.call('GET', '/Users/1'));
  assert.deepEqual(faulty.upstream.received, []);
});

test('fail-closed: the answer of a read that went up is withheld, and the trail says so', async () => {
  await using faulty = await Faulty.start('fail-closed');
  faulty.breakWhileAsked();
  const response = await faulty.gateway.call('GET', '/Users/1');
  const id = response.headers.get('x-request-id');
  await refused(response);
  await faulty.bringBack();
  await eventually(async () => ofCall(await faulty.records(), id).includes('upstream.outcome'));
  assert.equal(faulty.upstream.received.length, 1);
});

test('fail-closed: the answer of a read from the cache is withheld', async () => {
  await using faulty = await Faulty.start('fail-closed');
  assert.equal((await faulty.gateway.call('GET', '/Users/1')).status, 200);
  await faulty.takeAway();
  const response = await faulty.gateway.call('GET', '/Users/1');
  const id = response.headers.get('x-request-id');
  await refused(response);
  await faulty.bringBack();
  await eventually(async () => ofCall(await faulty.records(), id).includes('request.withheld'));
  assert.deepEqual(ofCall(await faulty.records(), id), ['request.cache_hit', 'request.withheld']);
});

test('fail-closed-writes: a read goes up and is answered, and its records are made up', async () => {
  await using faulty = await Faulty.start('fail-closed-writes');
  await faulty.takeAwayAndFail();
  const response = await faulty.gateway.call('GET', '/Users/1');
  assert.equal(response.status, 200);
  const id = response.headers.get('x-request-id');
  await faulty.bringBack();
  const records = await faulty.records();
  assert.deepEqual(ofCall(records, id), ['upstream.outcome', 'request.outcome']);
  // Without an intent the outcome says all that it would have said.
  const outcome = records.find((record) => record['req'] === id && record.event === 'upstream.outcome');
  assert.equal(outcome?.['intent'], undefined);
  assert.ok(outcome?.['actor'] && outcome['op'] && outcome['upstream']);
  assert.equal((await verifyTrail(faulty.gateway.auditDirectory)).verdict, 'ok');
});

test('fail-closed-writes: the answer of a read that went up is given', async () => {
  await using faulty = await Faulty.start('fail-closed-writes');
  faulty.breakWhileAsked();
  const response = await faulty.gateway.call('GET', '/Users/1');
  assert.equal(response.status, 200);
  const id = response.headers.get('x-request-id');
  await faulty.bringBack();
  assert.deepEqual(ofCall(await faulty.records(), id), [
    'upstream.intent',
    'upstream.outcome',
    'request.outcome',
  ]);
});

test('fail-closed-writes: the answer of a read from the cache is given', async () => {
  await using faulty = await Faulty.start('fail-closed-writes');
  assert.equal((await faulty.gateway.call('GET', '/Users/1')).status, 200);
  await faulty.takeAwayAndFail();
  const response = await faulty.gateway.call('GET', '/Users/1');
  assert.equal(response.status, 200);
  const id = response.headers.get('x-request-id');
  await faulty.bringBack();
  assert.deepEqual(ofCall(await faulty.records(), id), ['request.cache_hit']);
});
