/** The table of events in docs/audit-format.md against the tests: what it says is shown has a test of that title. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

const root = resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(resolve(root, file), 'utf8');
const document = read('docs/audit-format.md');
const [, section = ''] = document.split('\n## Which events there are\n');
const rows = [...(section.split('\n## ')[0] ?? '').matchAll(/^\| (`.+?) \| (.+) \|$/gm)].map(
  ([, events = '', says = '']) => ({ events, says }),
);

test('every test that the table of events names exists', () => {
  const named = rows.flatMap(({ says }) => [...says.matchAll(/“([^”]+)” \(`([^`]+)`\)/g)]);
  const missing = named.filter(([, title = '', file = '']) => {
    const text = read(file).replaceAll("\\'", "'");
    // An ellipsis stands for what a loop puts into the title.
    return !title.split('…').every((part) => text.includes(part.trim()));
  });
  assert.deepEqual(
    missing.map(([whole]) => whole),
    [],
  );
  assert.ok(named.length > 30);
});

test('every row of the table of events names a test or a reason', () => {
  const empty = rows.filter(({ says }) => !/“[^”]+” \(`[^`]+`\)|^not |^told by /.test(says));
  assert.deepEqual(empty, []);
});

test('every event of the list of records stands in the table of events', () => {
  const [, records = ''] = document.split('\n## Records\n');
  const listed = [...(records.split('\n| member |')[0] ?? '').matchAll(/^\| (`[^|]+) \|/gm)].flatMap(
    ([, events = '']) => [...events.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => name),
  );
  const told = rows.map(({ events }) => events).join(' ');
  assert.deepEqual(
    listed.filter((name) => !told.includes(`\`${name}\``)),
    [],
  );
  assert.ok(listed.length > 30);
});
