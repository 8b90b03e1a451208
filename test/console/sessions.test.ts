/** When sessions end, on a clock of the test's own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Sessions, type Session, type SessionEnd } from '../../src/console/sessions.ts';

const minute = 60_000;
const person = { name: 'audrey', role: 'auditor', by: 'oidc' } as const;

function open() {
  const clock = { now: 1_000_000 };
  const ends: [Session, SessionEnd][] = [];
  const sessions = new Sessions({
    idleMs: 15 * minute,
    lifetimeMs: 60 * minute,
    onEnd: (session, why) => ends.push([session, why]),
    now: () => clock.now,
  });
  return { clock, ends, sessions };
}

test('a session that lies idle ends', () => {
  const { clock, ends, sessions } = open();
  using _ = sessions;
  const { id } = sessions.begin(person);
  clock.now += 15 * minute;
  assert.equal(sessions.find(id, true), undefined);
  assert.deepEqual(
    ends.map(([, why]) => why),
    ['idle'],
  );
});

test('what somebody does keeps a session alive, and only until its lifetime is over', () => {
  const { clock, ends, sessions } = open();
  using _ = sessions;
  const { id } = sessions.begin(person);
  for (let at = 0; at < 5; at += 1) {
    clock.now += 10 * minute;
    assert.ok(sessions.find(id, true));
  }
  clock.now += 10 * minute;
  assert.equal(sessions.find(id, true), undefined);
  assert.deepEqual(
    ends.map(([, why]) => why),
    ['lifetime'],
  );
});

test('looking on keeps no session alive', () => {
  const { clock, sessions } = open();
  using _ = sessions;
  const { id } = sessions.begin(person);
  for (let at = 0; at < 14; at += 1) {
    clock.now += minute;
    assert.ok(sessions.find(id, false));
  }
  clock.now += minute;
  assert.equal(sessions.find(id, false), undefined);
});

test('a person’s sixth session takes the place of the first', () => {
  const { sessions } = open();
  using _ = sessions;
  const ids = Array.from({ length: 6 }, () => sessions.begin(person).id);
  assert.deepEqual(
    ids.map((id) => sessions.find(id, false) !== undefined),
    [false, true, true, true, true, true],
  );
});

test('every session has an id and a token of its own', () => {
  const { sessions } = open();
  using _ = sessions;
  const begun = Array.from({ length: 4 }, () => sessions.begin(person));
  assert.equal(new Set(begun.flatMap(({ id, session }) => [id, session.csrf])).size, 8);
});

test('a session ends with the secret that it was begun with', () => {
  const good = new Set(['first']);
  const ends: SessionEnd[] = [];
  using sessions = new Sessions({
    idleMs: 15 * minute,
    lifetimeMs: 60 * minute,
    onEnd: (_session, why) => ends.push(why),
    isGood: ({ credential = '' }) => good.has(credential),
  });
  const { id } = sessions.begin({
    name: 'break-glass',
    role: 'administrator',
    by: 'local',
    credential: 'first',
  });
  assert.ok(sessions.find(id, true));
  good.clear();
  assert.equal(sessions.find(id, true), undefined);
  assert.deepEqual(ends, ['revoked']);
});
