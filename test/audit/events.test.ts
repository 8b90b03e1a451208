/** The tables of events and of failures in docs/audit-format.md against the tests: what they say is shown has a test of that title. */
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

/** The titles that are not where they are said to be. */
function missingOf(named: readonly (readonly string[])[]): string[] {
  const missing = named.filter(([, title = '', file = '']) => {
    const text = read(file).replaceAll("\\'", "'");
    // An ellipsis stands for what a loop puts into the title.
    return !title.split('…').every((part) => text.includes(part.trim()));
  });
  return missing.map(([whole = '']) => whole);
}

test('every test that the table of events names exists', () => {
  const named = rows.flatMap(({ says }) => [...says.matchAll(/“([^”]+)” \(`([^`]+)`\)/g)]);
  assert.deepEqual(missingOf(named), []);
  assert.ok(named.length > 30);
});

test('every cell of the table of failures names a test, and every test that it names exists', () => {
  const [, failures = ''] = document.split('\n## When the trail cannot be written\n');
  const cells = [...(failures.split('\n## ')[0] ?? '').matchAll(/^\| (?!moment).+ \| (“.+`\)|[^|]*) \|$/gm)];
  const named = cells.map(([row, shown = '']) => {
    const [file = ''] = /test\/[\w/.-]+/.exec(shown) ?? [];
    const titles = [...shown.matchAll(/“([^”]+)”(?: \(`([^`]+)`\))?/g)];
    assert.ok(titles.length > 0, row);
    return titles.map(([whole, title = '', where = file]) => [whole, title, where]);
  });
  assert.deepEqual(missingOf(named.flat()), []);
  assert.ok(named.length > 12);
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
