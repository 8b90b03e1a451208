/** What investigators ask: criteria of one record, and the records of one call together. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { joinCalls } from '../../src/audit/calls.ts';
import type { Entry } from '../../src/audit/entry.ts';
import { mayHaveWritten, openIntents } from '../../src/audit/open-intents.ts';
import { matcherOf, type Query } from '../../src/audit/query.ts';
import { Redactor } from '../../src/audit/redact.ts';
import { anEntry } from './written-trail.ts';

const redactor = new Redactor({ period: '2026q4', secret: Buffer.alloc(32, 7) });
const entry = anEntry({
  event: 'request.outcome',
  req: 'r-1',
  actor: { name: 'idm', auth: 'basic' },
  src: { ip: '192.0.2.7' },
  op: {
    kind: 'delete',
    effect: 'write',
    tenant: 'acme',
    system: 'S1',
    resourceType: 'Users',
    id: redactor.pseudonym('id', '4711'),
  },
  corr: { callerId: 'caller-9' },
  outcome: { result: 'failure', http: 502, error: 'upstream-timeout' },
});

const found: readonly Query[] = [
  {},
  { caller: 'idm', system: 'S1', tenant: 'acme', kind: 'delete', effect: 'write', resourceType: 'Users' },
  { result: 'failure', error: 'upstream-timeout', address: '192.0.2.7' },
  { status: '502' },
  { status: '5xx' },
  { request: 'r-1' },
  { request: 'caller-9' },
  { event: 'request.outcome' },
  { event: 'request.*' },
  { pseudonyms: [redactor.pseudonym('name', '4711'), redactor.pseudonym('id', '4711')] },
];

for (const query of found)
  test(`a record is found by ${JSON.stringify(query)}`, () => assert.ok(matcherOf(query)(entry)));

const missed: readonly Query[] = [
  { caller: 'id' },
  { caller: 'idm', system: 'S2' },
  { status: '4xx' },
  { status: '50' },
  { request: 'r-2' },
  { event: 'request' },
  { event: 'authn.*' },
  { pseudonyms: [redactor.pseudonym('id', '4712')] },
];

for (const query of missed)
  test(`a record is not found by ${JSON.stringify(query)}`, () => assert.ok(!matcherOf(query)(entry)));

async function* streamOf(entries: readonly Entry[]): AsyncGenerator<Entry> {
  yield* entries;
}

test('the records of a call come together, with upstream calls that outlast the answer', async () => {
  const events: [string, object][] = [
    ['process.start', {}],
    ['upstream.intent', { req: 'r-1' }],
    ['authn.failure', { req: 'r-2', outcome: { http: 401 } }],
    ['request.outcome', { req: 'r-1', outcome: { http: 200 } }],
    ['upstream.outcome', { req: 'r-1', intent: 7 }],
  ];
  const joined: string[][] = [];
  for await (const records of joinCalls(
    streamOf(events.map(([event, members]) => anEntry({ event, ...members }))),
  ))
    joined.push(records.map(({ event }) => event));
  assert.deepEqual(joined, [
    ['process.start'],
    ['authn.failure'],
    ['upstream.intent', 'request.outcome', 'upstream.outcome'],
  ]);
});

test('upstream calls of which nobody knows the end are found, and only those', async () => {
  const write = { op: { kind: 'create', effect: 'write' } };
  const trail = [
    anEntry({ event: 'upstream.intent', req: 'done', ...write }),
    anEntry({ event: 'upstream.outcome', req: 'done', intent: 7, outcome: { result: 'success' } }),
    anEntry({ event: 'upstream.intent', req: 'silent', ...write }),
    anEntry({ event: 'upstream.outcome', req: 'silent', intent: 7, outcome: { result: 'unknown' } }),
    anEntry({ event: 'upstream.intent', req: 'crashed', ...write }),
    anEntry({ event: 'request.outcome_unknown', req: 'crashed', intent: 7 }),
    anEntry({ event: 'request.outcome_unknown', req: 'long ago', intent: 3 }),
    anEntry({ event: 'upstream.intent', req: 'running', upstream: { method: 'GET' } }),
  ];
  const open: string[] = [];
  for await (const { state, entry: record } of openIntents(streamOf(trail)))
    open.push(`${state} ${record.event} ${record.text('req')} ${mayHaveWritten(record)}`);
  assert.deepEqual(open, [
    'unknown upstream.intent silent true',
    'lost upstream.intent crashed true',
    'lost request.outcome_unknown long ago true',
    'open upstream.intent running false',
  ]);
});
