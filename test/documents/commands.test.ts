/** Every command line that a page shows is one that the program understands. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { argumentsIn, commandTable, faultIn } from './command-line.ts';
import { pages, read, shellLinesOf, spansOf } from './pages.ts';

const table = await commandTable();
const faultOf = (line: string): string | undefined => {
  const given = argumentsIn(line);
  return given && faultIn(given, table);
};

test('every command line of a page has a command and options that there are', () => {
  const lines = pages().flatMap((page) => [...shellLinesOf(page), ...spansOf(page)]);
  const shown = lines.filter(({ text }) => argumentsIn(text) !== undefined);
  const faults = shown.map(({ file, text }) => ({ file, text, fault: faultOf(text) }));
  assert.deepEqual(
    faults.filter(({ fault }) => fault !== undefined),
    [],
  );
  assert.ok(shown.length > 80);
});

test('a wrong command, verb or option in a page would be found', () => {
  assert.match(faultOf('gatehouse audit serch DIR') ?? '', /no 'serch'/);
  assert.match(faultOf('bin/gatehouse doktor --read') ?? '', /no command 'doktor'/);
  assert.match(faultOf('sudo -u gatehouse gatehouse secret renew sap-idm') ?? '', /no 'renew'/);
  assert.match(faultOf('gatehouse guard release k7 --cuont 3 --reason "a b"') ?? '', /no --cuont/);
  assert.match(faultOf('gatehouse secret rotate --grace 7d') ?? '', /needs/);
  assert.match(faultOf('gatehouse audit report --from 24h') ?? '', /needs/);
  assert.equal(faultOf('gatehouse secret new'), undefined);
});

test('every npm script of a page is in package.json', () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(read('package.json'));
  const named = pages().flatMap(({ file, text }) =>
    [...text.matchAll(/npm\s+(?:run\s+([\w:-]+)|(test|start)\b)/g)].map(([, run, own]) => ({
      file,
      name: run ?? own ?? '',
    })),
  );
  assert.deepEqual(
    named.filter(({ name }) => !Object.hasOwn(scripts, name)),
    [],
  );
  assert.ok(named.length > 20);
});
