/** The documents against the code: what they list must be what there is. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';

import { kinds } from '../src/scim/error.ts';

const root = resolve(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(resolve(root, file), 'utf8');
const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: root });

test('docs/errors.md has a row for every kind, with its status and scimType', () => {
  const rows = [...read('docs/errors.md').matchAll(/^\| `([\w-]+)` \| (\d+) \| (\S+) \|/gm)].map(
    ([, kind = '', status, scimType]) => [
      kind,
      { status: Number(status), ...(scimType !== '–' && { scimType }) },
    ],
  );
  assert.deepEqual(Object.fromEntries(rows), kinds);
});

test('every link between documents leads to a file', () => {
  const broken = documents.flatMap((file) =>
    [...read(file).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .map(([, link = '']) => ({ file, link }))
      .filter(({ link }) => !existsSync(resolve(root, dirname(file), link))),
  );
  assert.deepEqual(broken, []);
});

test('the README leads to every page, and a link to a heading leads to one', () => {
  const readme = read('README.md');
  const pages = globSync('docs/*.md', { cwd: root });
  assert.deepEqual(
    pages.filter((page) => !readme.includes(`](${page})`)),
    [],
  );
  const broken = documents.flatMap((file) =>
    [...read(file).matchAll(/\]\(([^)#\s:]*)#([^)\s]+)\)/g)]
      .map(([, path = '', heading = '']) => ({ file, path, heading }))
      .filter(({ path, heading }) => !headingsOf(path ? join(dirname(file), path) : file).includes(heading)),
  );
  assert.deepEqual(broken, []);
});

/** As the usual readers of Markdown name them: small letters, no punctuation, hyphens for spaces. */
function headingsOf(file: string): string[] {
  const headings = read(file)
    .replaceAll(/^```[\s\S]*?^```/gm, '')
    .matchAll(/^#+ (.+)$/gm);
  return [...headings].map(([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

test('every source file that a document names exists', () => {
  const broken = documents.flatMap((file) =>
    [...read(file).matchAll(/`((?:src|test|config|bin|bench)\/[\w./-]+\w)`/g)]
      .map(([, path = '']) => ({ file, path }))
      .filter(({ path }) => !existsSync(resolve(root, path))),
  );
  assert.deepEqual(broken, []);
});

test('ARCHITECTURE.md gives a reason for every package that runs in service', () => {
  const manifest: { dependencies: Record<string, string> } = JSON.parse(read('package.json'));
  const text = read('ARCHITECTURE.md');
  assert.deepEqual(
    Object.keys(manifest.dependencies).filter(
      (name) => !new RegExp(`^\\|.*(?<![\\w-])${name}(?![\\w-])`, 'm').test(text),
    ),
    [],
  );
});

test('the lockfile and the sources name no registry', () => {
  const files = ['package-lock.json', 'package.json', '.npmrc', ...documents];
  assert.deepEqual(
    files.filter((file) => /registry\.npmjs|"resolved":/.test(read(file))),
    [],
  );
});
