/** Names in the pages that mean something to the program: settings, environment variables, records. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

import { parse } from 'yaml';

import {
  alternativesOf,
  configJsonSchema,
  entryOf,
  propertiesOf,
  type JsonSchema,
} from '../../src/gateway/config-json-schema.ts';
import { blocksOf, pages, read, spansOf, type Word } from './pages.ts';

const root = resolve(import.meta.dirname, '../..');
const schema = configJsonSchema();
const settings = new Set(pathsOf(schema));
/** With which a path may begin in a page: from the top, or from a tenant, system or caller that the text is about. */
const beginnings = new Set([...settings].flatMap((path) => path.split('.').filter((part) => part !== '*')));
const sources = textOf('src/**/*.ts');

/** `tenants.*.pins`, with a star for the names that a file chooses. */
function pathsOf(from: JsonSchema, before = ''): string[] {
  return alternativesOf(from).flatMap((schema) => {
    const entry = entryOf(schema);
    const parts = [...propertiesOf(schema), ...(entry ? [['*', entry] as const] : [])];
    return parts.flatMap(([name, inner]) => [`${before}${name}`, ...pathsOf(inner, `${before}${name}.`)]);
  });
}

function textOf(...patterns: string[]): string {
  const files = globSync(patterns, { cwd: root }).filter((file) => !file.includes('/web/'));
  return files.map((file) => readFileSync(resolve(root, file), 'utf8')).join('\n');
}

function isSetting(text: string): boolean {
  const path = text.replaceAll(/<[a-z]+>/g, '*');
  return settings.has(path) || [...settings].some((each) => each.endsWith(`.${path}`));
}

/** The rows of the table of events, and those of the list of records; `cache.purge` is told not to exist. */
function eventsOf(heading: string): string[] {
  const [, after = ''] = read('docs/audit-format.md').split(`\n## ${heading}\n`);
  const [section = ''] = after.split('\n## ')[0]?.split('\n| member |') ?? [];
  const cells = [...section.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell = '']) => cell);
  return cells.flatMap((cell) => [...cell.matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(([, name = '']) => name));
}

const events = new Set([...eventsOf('Records'), ...eventsOf('Which events there are')]);

/** `cache.lifetime`, but neither an event, nor a file, nor a member of something else that begins alike. */
function looksLikeSetting({ text }: Word): boolean {
  if (!/^[a-z][A-Za-z]*(?:\.(?:<[a-z]+>|[a-z][A-Za-z]*))+$/.test(text)) return false;
  if (/\.(?:ts|yaml)$/.test(text)) return false;
  return beginnings.has(text.split('.')[0] ?? '') && !events.has(text) && !others.has(text);
}

/** Members of a SCIM resource, of a record or of an ECS event; files. */
const others = new Set(['keys.pub', 'periods.key', 'user.name', 'user.id', 'url.path']);

test('every setting that a page names is one of the configuration', () => {
  const named = pages()
    .filter(({ file }) => !['docs/audit-export.md', 'docs/transformations.md'].includes(file))
    .flatMap(spansOf)
    .filter(looksLikeSetting);
  assert.deepEqual(
    named.filter(({ text }) => !isSetting(text)),
    [],
  );
  assert.ok(named.length > 150);
  assert.ok(!isSetting('audit.keepDay') && !isSetting('tenants.<name>.pinned') && isSetting('pace.burst'));
});

test('every block of YAML in a page has keys of the configuration alone', () => {
  const blocks = pages()
    .flatMap(blocksOf)
    .filter(({ file, language }) => language === 'yaml' && file !== 'docs/profiles.md');
  assert.deepEqual(
    blocks.flatMap(({ file, text }) => strangersIn(parse(text), [schema]).map((path) => ({ file, path }))),
    [],
  );
  assert.ok(blocks.length >= 4);
  assert.deepEqual(strangersIn({ admin: { consol: {} } }, [schema]), ['admin.consol']);
});

/** The keys of a document that the schema does not have. */
function strangersIn(document: unknown, schemas: readonly JsonSchema[], before = ''): string[] {
  if (Array.isArray(document)) {
    const items = schemas
      .flatMap(alternativesOf)
      .flatMap(({ items }) => (isSchemaLike(items) ? [items] : []));
    return document.flatMap((each) => strangersIn(each, items, before));
  }
  if (typeof document !== 'object' || document === null) return [];
  const forms = schemas.flatMap(alternativesOf);
  return Object.entries(document).flatMap(([key, value]) => {
    const inner = forms.flatMap((form) => {
      const found = propertiesOf(form).find(([name]) => name === key)?.[1] ?? entryOf(form);
      return found ? [found] : [];
    });
    return inner.length === 0 ? [`${before}${key}`] : strangersIn(value, inner, `${before}${key}.`);
  });
}

function isSchemaLike(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Node's own, a word of Envoy's, and the name of a destination. */
const elsewhere = new Set(['NODE_EXTRA_CA_CERTS', 'APPEND_FORWARD', 'IPS_PROXY']);

test('every name in capitals that a page has, such as that of an environment variable, is in the sources', () => {
  const known = `${sources}${textOf('{test,bench,deploy}/**/*.{ts,sh,yaml,service}', 'bin/*')}${read('package.json')}`;
  const named = pages()
    .flatMap(spansOf)
    .map(({ file, text }) => ({ file, text: text.replace(/=.*$/, '') }))
    .filter(({ text }) => /^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+$/.test(text) && !elsewhere.has(text));
  assert.deepEqual(
    named.filter(({ text }) => !new RegExp(`\\b${text}\\b`).test(known)),
    [],
  );
  assert.ok(named.length > 15);
});

test('every event of the list of records is one that the program writes', () => {
  const listed = eventsOf('Records');
  const made = new Set([...sources.matchAll(/`([a-z]+)\.\$\{/g)].map(([, part = '']) => part));
  const kinds = new Set([...sources.matchAll(/`\$\{\w+\}\.([a-z_]+)`/g)].map(([, part = '']) => part));
  const isWritten = (name: string): boolean => {
    const [part = '', rest = ''] = name.split('.');
    return (
      sources.includes(`'${name}'`) || (made.has(part) && sources.includes(`'${rest}'`)) || kinds.has(rest)
    );
  };
  assert.deepEqual(
    listed.filter((name) => !isWritten(name)),
    [],
  );
  assert.ok(listed.length > 70);
});

test('every event that the program names is in the table of events', () => {
  const areas = new Set([...events].map((name) => name.split('.')[0]));
  // The log has words of its own (`src/audit/report.ts`), the hardening checks have names of the same form.
  const log = new Set(textOf('src/audit/report.ts').match(/'[a-z]+\.[a-z_]+'/g));
  const writers = ['src/!(cli|console|gateway)/**/*.ts', 'src/console/*.ts', 'src/gateway/!(security-*).ts'];
  const named = [...new Set(textOf(...writers).match(/'[a-z]+\.[a-z_]+'/g))].filter(
    (quoted) => !log.has(quoted),
  );
  assert.ok(named.length > 70);
  const unknown = named
    .map((quoted) => quoted.slice(1, -1))
    .filter((name) => areas.has(name.split('.')[0] ?? '') && !isSetting(name) && !events.has(name));
  assert.deepEqual(unknown, []);
});
