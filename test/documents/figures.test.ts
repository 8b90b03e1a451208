/** The figures of a running gateway against the pages: each that is named exists, each that exists is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startGateway } from '../support/gateway.ts';
import { pages, read } from './pages.ts';

async function figuresOf(): Promise<ReadonlySet<string>> {
  const file = { type: 'file', path: '/dev/null' } as const;
  const audit = { directory: 'audit', instance: 'test', keyFile: 'keys/audit.key', destinations: { file } };
  await using gateway = await startGateway({ config: { audit } });
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  return new Set([...text.matchAll(/^# TYPE (gatehouse_\S+)/gm)].map(([, name = '']) => name));
}

test('every figure that a page names is one of the gateway’s, and every figure has its row in docs/operations.md', async () => {
  const figures = await figuresOf();
  const named = pages().flatMap(({ file, text }) =>
    [...text.matchAll(/\bgatehouse_\w+/g)].map(([name]) => ({ file, name })),
  );
  assert.deepEqual(
    named.filter(({ name }) => !figures.has(name.replace(/_(?:bucket|sum|count)$/, ''))),
    [],
  );
  const rows = read('docs/operations.md').match(/^\| `gatehouse_.*$/gm) ?? [];
  const told = new Set(rows.flatMap((row) => row.match(/\bgatehouse_\w+/g) ?? []));
  assert.deepEqual([...figures].filter((name) => !told.has(name)).toSorted(), []);
});
