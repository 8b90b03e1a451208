/**
 * Exports: OCSF against what its classes and objects require (version 1.8.0, written down here from the published
 * schema), and the text forms against names that were chosen to break them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isMembers } from '../../src/audit/entry.ts';
import { toCef } from '../../src/audit/export-cef.ts';
import { csvHead, csvRow, toCsv } from '../../src/audit/export-csv.ts';
import { toEcs } from '../../src/audit/export-ecs.ts';
import { toOcsf } from '../../src/audit/export-ocsf.ts';
import type { Members } from '../../src/audit/queue.ts';
import { anEntry } from './written-trail.ts';

const options = { original: false, host: 'dmz-1', version: '1.2.3' };

const call = {
  req: 'r-1',
  actor: { name: 'idm', auth: 'basic', credential: 'abc' },
  src: { ip: '192.0.2.7', port: 51234 },
  target: { method: 'POST', path: '/ipsproxy/service/api/v1/scim/?/Users' },
  corr: { agent: 'Java/1.8', traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` },
  outcome: { result: 'success', http: 201 },
  bytesOut: 900,
  ms: 12.3,
};

function op(kind: string, resourceType: string, effect = 'write', change?: object): object {
  return {
    op: { api: 'proxy', kind, effect, tenant: 'acme', system: 'S1', resourceType, id: 'p1:x', change },
  };
}

const denied = { outcome: { result: 'denied', http: 401, error: 'unauthenticated' } };
const records = [
  { event: 'request.outcome', ...call, ...op('create', 'Users') },
  { event: 'request.outcome', ...call, ...op('patch', 'Users') },
  { event: 'request.outcome', ...call, ...op('patch', 'Users', 'write', { active: false }) },
  { event: 'request.outcome', ...call, ...op('delete', 'Groups') },
  {
    event: 'request.outcome',
    ...call,
    ...op('patch', 'Groups', 'write', { added: { count: 1, ids: ['p1:m'] } }),
  },
  { event: 'request.cache_hit', ...call, ...op('get', 'Users', 'read') },
  {
    event: 'upstream.intent',
    ...call,
    ...op('create', 'Users'),
    upstream: { host: 'acme.example', method: 'POST' },
  },
  {
    event: 'upstream.intent',
    actor: { name: 'gateway' },
    upstream: { host: 'acme.example', method: 'GET', path: '/Users' },
  },
  { event: 'upstream.outcome', intent: 7, upstream: { status: 200, ms: 3 }, outcome: { result: 'success' } },
  { event: 'request.outcome_unknown', intent: 7, req: 'r-1' },
  { event: 'authn.failure', ...call, actor: { claimed: 'p1:y' }, ...denied },
  {
    event: 'authn.failure',
    req: 'r-2',
    target: { method: 'GET', path: '/' },
    src: { ip: '2001:db8::1' },
    ...denied,
  },
  { event: 'authn.spray_suspected', facts: { pattern: 'users', source: '192.0.2.7', failures: 6 } },
  { event: 'token.issued', ...call },
  { event: 'authz.denied', ...call, ...op('create', 'Users'), outcome: { result: 'denied', http: 403 } },
  { event: 'process.start', facts: { node: 'v26' } },
  { event: 'process.stop' },
  { event: 'config.changed', facts: { setting: 'patience', old: 1, new: 2, actor: { occasion: 'SIGHUP' } } },
  { event: 'proto.malformed', facts: { code: 'HPE_INVALID', network: '192.0.2.0/24', count: 3 } },
  { event: 'audit.segment_opened', inst: { host: 'dmz-1' } },
  { event: 'something.new' },
].map((record) => anEntry(record));

/** Class → its required attributes, what of it must have one of several, and its activities. */
const base = ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid'];
const classes: Readonly<
  Record<number, { required: string[]; oneOf?: string[]; category: number; activities: number[] }>
> = {
  0: { required: base, category: 0, activities: [99] },
  3001: { required: [...base, 'user'], category: 3, activities: [1, 2, 3, 4, 5, 6, 9, 12] },
  3002: { required: [...base, 'user'], oneOf: ['service', 'dst_endpoint'], category: 3, activities: [1, 2] },
  3006: { required: [...base, 'group'], category: 3, activities: [3, 4, 5, 6, 99] },
  6002: { required: [...base, 'app'], category: 6, activities: [3, 4, 99] },
  6003: { required: [...base, 'actor', 'api', 'src_endpoint'], category: 6, activities: [1, 2, 3, 4, 99] },
};

/** Object, wherever it stands → what it must have, and of what it must have one. */
const objects: Readonly<Record<string, { required?: string[]; oneOf?: string[] }>> = {
  metadata: { required: ['version', 'product'] },
  product: { oneOf: ['name', 'uid'] },
  app: { oneOf: ['name', 'uid'] },
  actor: { oneOf: ['process', 'user', 'session', 'app_name', 'app_uid'] },
  user: { oneOf: ['account', 'name', 'uid'] },
  group: { oneOf: ['name', 'uid'] },
  api: { required: ['operation'] },
  service: { oneOf: ['name', 'uid'] },
  request: { required: ['uid'] },
  src_endpoint: { oneOf: ['ip', 'uid', 'name', 'hostname', 'svc_name'] },
  dst_endpoint: { oneOf: ['ip', 'uid', 'name', 'hostname', 'svc_name'] },
  http_response: { required: ['code'] },
  url: { oneOf: ['url_string', 'path'] },
  device: { required: ['type_id'] },
};

function faultsOf(name: string, value: Members, rules = objects[name]): string[] {
  const missing = (rules?.required ?? []).filter((member) => value[member] === undefined);
  const none = rules?.oneOf && rules.oneOf.every((member) => value[member] === undefined);
  const below = Object.entries(value).flatMap(([member, inner]) =>
    isMembers(inner) && member !== 'unmapped' ? faultsOf(member, inner) : [],
  );
  return [
    ...missing.map((member) => `${name}.${member}`),
    ...(none ? [`${name}: none of ${String(rules?.oneOf)}`] : []),
    ...below,
  ];
}

for (const entry of records)
  test(`as OCSF ${entry.event} has all that its class requires`, () => {
    for (const event of toOcsf(entry, options)) {
      const mapped: Members = JSON.parse(JSON.stringify(event));
      const { class_uid: uid, activity_id: activity, category_uid: category } = mapped;
      const rules = classes[Number(uid)];
      assert.ok(rules, `class ${Number(uid)}`);
      assert.deepEqual(faultsOf('event', mapped, rules), []);
      assert.ok(
        rules.activities.includes(Number(activity)),
        `activity ${Number(activity)} of ${Number(uid)}`,
      );
      assert.equal(category, rules.category);
      assert.equal(mapped['type_uid'], Number(uid) * 100 + Number(activity));
    }
  });

function typesOf(at: number): number[] {
  const entry = records[at];
  return entry
    ? toOcsf(entry, options).map((event) =>
        Number(Object.entries(event).find(([name]) => name === 'type_uid')?.[1]),
      )
    : [];
}

test('a write of users or groups is a change of identities and a call; an ordinary change of a user only a call', () => {
  assert.deepEqual(typesOf(0), [300101, 600301]);
  assert.deepEqual(typesOf(1), [600303]);
  assert.deepEqual(typesOf(2), [300105, 600303]);
  assert.deepEqual(typesOf(3), [300605, 600304]);
  assert.deepEqual(typesOf(4), [300603, 600303]);
  assert.deepEqual(typesOf(5), [600302]);
  assert.deepEqual(typesOf(6), [600301]);
  assert.deepEqual(typesOf(10), [300201]);
  assert.deepEqual(typesOf(15), [600203]);
});

/** What ECS allows. */
const categories = new Set(['api', 'authentication', 'configuration', 'host', 'iam', 'network', 'process']);
const types = new Set('access change creation deletion denied end group info start user'.split(' '));

for (const entry of records)
  test(`as ECS ${entry.event} has allowed categories, types and an outcome`, () => {
    const { event }: { event: { category: string[]; type: string[]; outcome: string; kind: string } } =
      JSON.parse(JSON.stringify(toEcs(entry, options)));
    assert.deepEqual(
      event.category.filter((name) => !categories.has(name)),
      [],
    );
    assert.deepEqual(
      event.type.filter((name) => !types.has(name)),
      [],
    );
    assert.ok(event.category.length > 0 && event.type.length > 0);
    assert.ok(
      ['success', 'failure', 'unknown'].includes(event.outcome) && ['event', 'alert'].includes(event.kind),
    );
  });

test('as ECS a creation of a user is a call and a change of identities, with the trace', () => {
  const [first] = records;
  assert.ok(first);
  const document: Members = JSON.parse(JSON.stringify(toEcs(first, { ...options, original: true })));
  const event = document['event'];
  assert.ok(isMembers(event));
  assert.deepEqual(
    [event['category'], event['type'], event['outcome']],
    [['api', 'iam'], ['creation', 'user'], 'success'],
  );
  assert.deepEqual(document['trace'], { id: 'a'.repeat(32) });
  assert.equal(event['original'], first.line.toString());
});

const hostile = anEntry({
  event: 'authn.failure',
  actor: { name: 'a|b\\c=d\r\nCEF:0|x|y' },
  corr: { agent: '=cmd|calc\n"quoted",\u0007\u2028' },
  target: { method: 'GET|POST', path: '/' },
  outcome: { result: 'denied', http: 401, error: '+1' },
});

test('as CEF a hostile name stays in its field of one line', () => {
  const line = toCef(hostile, options);
  assert.doesNotMatch(line, /[\p{Cc}\p{Zl}]/u);
  const [header = ''] = /^CEF:0(\|(?:[^\\|]|\\[\\|])*){6}\|/.exec(line) ?? [];
  assert.match(header, /\|authn\.failure\|authn\.failure GET\\\|POST\|4\|$/);
  assert.match(line, / suser=a\|b\\\\c\\=d\\r\\nCEF:0\|x\|y /);
  assert.match(line, / requestClientApplication=\\=cmd\|calc\\n"quoted", {2}/);
});

test('as CEF an IPv6 source is in the field for IPv6', () => {
  const line = toCef(anEntry({ src: { ip: '2001:db8::1' } }), options);
  assert.match(line, / c6a2=2001:db8::1 c6a2Label=Source IPv6 Address/);
  assert.doesNotMatch(line, / src=/);
});

/** RFC 4180 read by the letter. */
function cellsOf(row: string): string[] {
  assert.ok(row.endsWith('\r\n'));
  const cells = [...row.slice(0, -2).matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)];
  return cells.map(([, quoted, plain = '']) => quoted?.replaceAll('""', '"') ?? plain);
}

test('as CSV every row has the cells of the head, whatever the names hold, and none is a formula', () => {
  const head = cellsOf(csvHead);
  const cells = cellsOf(toCsv(hostile));
  assert.equal(cells.length, head.length);
  assert.equal(cells[head.indexOf('caller')], 'a|b\\c=d\r\nCEF:0|x|y');
  assert.equal(cells[head.indexOf('agent')], '\'=cmd|calc\n"quoted",\u0007\u2028');
  assert.equal(cells[head.indexOf('error')], "'+1");
  assert.equal(csvRow(['@x', '-1', '\tx', 'a=b', 5, undefined]), "'@x,'-1,'\tx,a=b,5,\r\n");
});
