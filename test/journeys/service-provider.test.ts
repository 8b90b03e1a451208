import assert from 'node:assert/strict';
import { test } from 'node:test';

import { conversation } from '../support/conformance.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { play, type Answer, type Step } from '../support/scim-client.ts';
import { startServiceProvider } from '../support/service-provider.ts';

const startBefore = (url: string): Promise<TestGateway> =>
  startGateway({
    upstream: url,
    system: { kind: 'scim', url },
    tenant: { pace: { perMinute: 90_000, burst: 1000, tenantLimit: 100_000 } },
  });

async function playAll(steps: readonly Step[], base: string, logOn?: string): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const step of steps) answers.push(await play(base, step, logOn));
  return answers;
}

function assertSame(through: readonly Answer[], direct: readonly Answer[]): void {
  assert.equal(through.length, direct.length);
  for (const [at, { heard }] of direct.entries()) assert.deepEqual(through[at]?.heard, heard);
}

for (const path of ['/scim/v2', ''])
  test(`a service provider at ${path || 'the root'} says the same directly and through the gateway`, async () => {
    await using provider = await startServiceProvider(path);
    const direct = await playAll(conversation, provider.url);
    provider.reset();
    await using gateway = await startBefore(provider.url);
    assertSame(await playAll(conversation, gateway.base, gateway.logOn()), direct);
  });

test('every link that came through the gateway leads through the gateway to the same resource', async () => {
  await using provider = await startServiceProvider();
  await using gateway = await startBefore(provider.url);
  const followed = new Map<string, number>();
  for (const step of conversation) {
    const { links } = await play(gateway.base, step, gateway.logOn());
    for (const link of links) {
      assert.ok(link.startsWith(gateway.base), `${step.title}: ${link}`);
      if (followed.has(link)) continue;
      const follow = { title: link, method: 'GET', path: link.slice(gateway.base.length) };
      const through = await play(gateway.base, follow, gateway.logOn());
      assertSame([through], [await play(provider.url, follow)]);
      followed.set(link, through.heard.status);
    }
  }
  const found = [...followed.values()].filter((status) => status === 200).length;
  assert.ok(found >= 10, `only ${found} of ${followed.size} links led anywhere`);
});

test('reads are the same when the cache answers them, and it does', async () => {
  await using provider = await startServiceProvider();
  await using gateway = await startBefore(provider.url);
  await playAll(conversation, gateway.base, gateway.logOn());
  const reads = conversation.filter(({ method }) => method === 'GET');
  const direct = await playAll(reads, provider.url);
  assertSame(await playAll(reads, gateway.base, gateway.logOn()), direct);
  const before = provider.count;
  const warm = await playAll(reads, gateway.base, gateway.logOn());
  assertSame(warm, direct);
  const hits = warm.filter(({ cacheStatus }) => cacheStatus?.includes('; hit')).length;
  assert.ok(hits >= 40, `only ${hits} of ${reads.length} came from the cache`);
  assert.ok(provider.count - before <= reads.length - hits);
});

/** Reads each resource that a list names at its location, and puts it back under its tag. */
async function putBack(list: string, base: string, logOn?: string): Promise<Answer[]> {
  const { links } = await play(base, { title: list, method: 'GET', path: list }, logOn);
  const answers: Answer[] = [];
  for (const link of links.filter((one) => one.includes(list))) {
    const path = link.slice(base.length);
    const read = await play(base, { title: 'read', method: 'GET', path }, logOn);
    const body = read.heard.body?.replaceAll('{base}', base);
    const headers = { 'if-match': read.heard.etag ?? '' };
    answers.push(read, await play(base, { title: 'put back', method: 'PUT', path, body, headers }, logOn));
  }
  return answers;
}

test('what was read at its location can be put back under its tag', async () => {
  await using provider = await startServiceProvider();
  await using gateway = await startBefore(provider.url);
  const beginning = conversation.slice(
    0,
    conversation.findIndex(({ method }) => method === 'DELETE'),
  );
  const answers: Answer[][] = [];
  for (const [base, logOn] of [[provider.url], [gateway.base, gateway.logOn()]] as const) {
    provider.reset();
    await playAll(beginning, base, logOn);
    answers.push([...(await putBack('/Users', base, logOn)), ...(await putBack('/Groups', base, logOn))]);
  }
  const [direct = [], through = []] = answers;
  assertSame(through, direct);
  assert.deepEqual(new Set(direct.map(({ heard }) => heard.status)), new Set([200]));
  assert.ok(direct.length >= 10);
});

for (const [title, headers] of [
  ['application/json', { accept: 'application/json' }],
  ['anything', { accept: '*/*' }],
  ['SCIM or JSON', { accept: 'application/scim+json, application/json;q=0.5' }],
] as const)
  test(`a client that accepts ${title} hears what it hears directly`, async () => {
    await using provider = await startServiceProvider();
    const steps = conversation
      .filter(({ title: step }) => /created|read|listed|deleted/.test(step))
      .map((step) => ({ ...step, headers: { ...step.headers, ...headers } }));
    const direct = await playAll(steps, provider.url);
    provider.reset();
    await using gateway = await startBefore(provider.url);
    assertSame(await playAll(steps, gateway.base, gateway.logOn()), direct);
  });
