/** What each form says of a record and of a checkpoint, as far as delivery needs it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CheckpointEntry } from '../../src/delivery/checkpoint-entry.ts';
import { filterOf, formatNames, messageOf } from '../../src/delivery/message.ts';
import { framesOf } from '../../src/delivery/syslog-frame.ts';
import { anEntry, chainA } from '../audit/written-trail.ts';
import { checkpointOf } from './support.ts';

const author = { host: 'dmz-1', version: '1.2.3' };
const note = checkpointOf(chainA, 7);
const segment = { chain: chainA, number: 1, firstSeq: 1 };
const checkpoint = new CheckpointEntry('gw-1', segment, { size: 7, note, at: Date.UTC(2026, 10, 21, 8) });
const said = { facility: 'local3', hostname: 'dmz 1', structuredDataId: 'gatehouse@32473' } as const;

for (const format of formatNames) {
  test(`${format}: a checkpoint has the whole note and an id that no record has`, () => {
    const [body = ''] = messageOf(checkpoint, author, format, true).bodies;
    const [record = ''] = messageOf(anEntry({ event: 'audit.heartbeat' }), author, format, true).bodies;
    const quoted = format === 'cef' ? note.trimEnd().split('\n').at(-1) : JSON.stringify(note);
    assert.ok(body.includes(quoted?.replaceAll('=', format === 'cef' ? String.raw`\=` : '=') ?? ''), body);
    if (format === 'native') return;
    assert.ok(body.includes(`${chainA}:checkpoint:7`));
    assert.ok(record.includes(`${chainA}:7`));
  });

  test(`${format}: no body breaks its line, whatever a stranger has sent`, () => {
    const entry = anEntry({ actor: { name: 'a\nb\r\u2028<1>1 - - - - -' }, facts: { user: 'x\ny' } });
    for (const body of messageOf(entry, author, format, false).bodies) assert.doesNotMatch(body, /[\r\n]/);
  });
}

test('a frame counts its bytes, not its characters', () => {
  const entry = anEntry({ req: 'r1', actor: { name: 'Jürgen 🔑' } });
  const [frame = Buffer.alloc(0)] = framesOf(messageOf(entry, author, 'native', false), said);
  const [length = ''] = frame.toString('latin1').split(' ');
  assert.equal(frame.length, length.length + 1 + Number(length));
});

test('a frame has the form of RFC 5424', () => {
  const [frame = ''] = framesOf(messageOf(anEntry({ req: 'a"b]c\\' }), author, 'native', false), said);
  const head = String(frame).replace(/^\d+ /, '').split(' {')[0];
  const data = `[gatehouse@32473 chain="${chainA}" seq="7" req="a\\"b\\]c\\\\" instance="gw-1"]`;
  assert.equal(head, `<158>1 2026-11-21T08:00:00.000Z dmz1 gatehouse - request.outcome ${data}`);
});

test('a record that is two events in OCSF is two frames', () => {
  const op = { api: 'proxy', kind: 'delete', resourceType: 'Users', effect: 'write' };
  const entry = anEntry({ op, outcome: { result: 'success', http: 204 } });
  assert.equal(framesOf(messageOf(entry, author, 'ocsf', false), said).length, 2);
});

test('a filter takes names and beginnings, and nothing that only contains them', () => {
  const wants = filterOf(['authn.*', 'config.changed']);
  const events = ['authn.failure', 'config.changed', 'config.changed_more', 'x.authn.failure', 'authn'];
  assert.deepEqual(events.filter(wants), ['authn.failure', 'config.changed']);
  assert.ok(filterOf(['*'])('audit.checkpoint'));
});
