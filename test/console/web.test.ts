/** What the console's page reckons by itself: addresses, words, axes and figures. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';

import fc from 'fast-check';

import { securityEnglish } from '../../src/console/api/security-words.ts';
import { fillIn } from '../../src/console/web/fill-in.ts';
import { formatIn } from '../../src/console/web/format.ts';
import { addressOf, pages, viewOf, type View } from '../../src/console/web/route.ts';
import { instantsBetween, ticksTo } from '../../src/console/web/scale.ts';
import { securityGerman } from '../../src/console/web/security-words-de.ts';
import { german } from '../../src/console/web/words-de.ts';
import { english } from '../../src/console/web/words-en.ts';

const web = resolve(import.meta.dirname, '../../src/console/web');
const placeholders = (text: string): string[] =>
  [...text.matchAll(/\{\w+\}/g)].map(([found]) => found).toSorted();

test('English and German have the same words with the same places to fill', () => {
  assert.deepEqual(Object.keys(german), Object.keys(english));
  const apart = Object.entries(german).filter(
    ([word, text]) =>
      placeholders(text).join('') !== placeholders(english[word as keyof typeof english]).join(''),
  );
  assert.deepEqual(apart, []);
});

test('each check of the security page says the same in English and German', () => {
  assert.deepEqual(Object.keys(securityGerman), Object.keys(securityEnglish));
  for (const [word, inGerman] of Object.entries(securityGerman)) {
    const inEnglish = securityEnglish[word as keyof typeof securityEnglish];
    assert.deepEqual(placeholders(inGerman), placeholders(inEnglish), word);
  }
});

test('one is told as one, and any other number as several, in both languages', () => {
  const of = (count: number | string) =>
    [english, german].map((words) => fillIn(words['mix.note'], { count }));
  assert.deepEqual(of('1'), ['1 call of the last five minutes', '1 Aufruf der letzten fünf Minuten']);
  assert.deepEqual(of(0), ['0 calls of the last five minutes', '0 Aufrufe der letzten fünf Minuten']);
  assert.deepEqual(of('1,001')[0], '1,001 calls of the last five minutes');
});

test('no number stands before a word that fits several alone', () => {
  const plural =
    /\{(?:count|total|reads|records|size|minutes)\} (?:calls|reads|records|days|changes|minutes|Aufrufe|Datensätze|Tage|Änderungen|Minuten)\b/;
  const texts = [...Object.values(english), ...Object.values(german)];
  assert.deepEqual(
    texts.filter((words) => plural.test(words)),
    [],
  );
});

test('every word is said somewhere', () => {
  const code = globSync('*.{ts,tsx}', { cwd: web, exclude: ['*words-*.ts'] })
    .map((file) => readFileSync(resolve(web, file), 'utf8'))
    .join('\n');
  // A word that is put together, such as `outcome.${name}`, is there by its beginning.
  const isSaid = (word: string): boolean =>
    code.includes(`'${word}'`) ||
    code.includes(`"${word}"`) ||
    code.includes(`\`${word.slice(0, word.lastIndexOf('.') + 1)}\${`) ||
    isPart(word);
  const isPart = (word: string): boolean => /^verdict\.\w+(?:\.short)?$|^histogram\.(?:from|to)$/.test(word);
  assert.deepEqual(
    Object.keys(english).filter((word) => !isSaid(word)),
    [],
  );
});

const text = fc.string({ minLength: 1, unit: 'grapheme' });
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const query = fc.record({
  caller: optional(text),
  system: optional(text),
  from: optional(text),
  outcome: optional(fc.constantFrom('answered', 'refused', 'failed', 'unknown')),
  effect: optional(fc.constantFrom('read', 'write')),
  pseudonym: optional(fc.array(text, { minLength: 1, maxLength: 3 })),
  instance: optional(fc.array(text, { minLength: 1, maxLength: 2 })),
});
const view = fc.record({
  page: optional(fc.constantFrom(...pages)),
  query,
  record: optional(text),
  order: optional(fc.constant('oldest' as const)),
});

test('an address leads back to the view that it was made of', () => {
  fc.assert(
    fc.property(view, (made) => {
      const found = viewOf(new URL(addressOf(made as View), 'https://gatehouse.example'));
      assert.deepEqual(found, JSON.parse(JSON.stringify(made)));
    }),
  );
});

test('an address that makes no sense leads to the first page', () => {
  const address = new URL(
    'https://gatehouse.example/console/?page=nowhere&outcome=maybe&order=sideways&nonsense=1',
  );
  assert.deepEqual(viewOf(address), { query: {} });
});

test('an axis begins at 0, reaches its highest value and has round steps', () => {
  assert.deepEqual(ticksTo(37, 4), [0, 10, 20, 30, 40]);
  assert.deepEqual(ticksTo(0, 4), [0, 1]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000 }), (max) => {
      const ticks = ticksTo(max, 4);
      assert.ok((ticks.at(-1) ?? 0) >= max && ticks.length <= 9, ticks.join());
    }),
  );
});

test('an axis of time has no more labels than fit', () => {
  const from = Date.parse('2026-03-01T10:07:00Z');
  for (const span of [60_000, 900_000, 86_400_000, 30 * 86_400_000, 3 * 365 * 86_400_000]) {
    const instants = instantsBetween(from, from + span, 8);
    assert.ok(instants.length >= 1 && instants.length <= 9, `${span}: ${instants.length}`);
    assert.ok(instants.every((at) => at >= from && at <= from + span));
  }
});

test('figures are written as the language writes them', () => {
  const [british, inGerman] = [formatIn('en-GB'), formatIn('de-DE')];
  assert.equal(british.count(1_234_567), '1,234,567');
  assert.equal(inGerman.count(1_234_567), '1.234.567');
  assert.equal(british.span(430), '430 ms');
  assert.equal(inGerman.span(2400), '2,4 s');
  assert.equal(british.span(5_400_000), '1.5 h');
  assert.equal(british.bytes(1536), '1.5 KiB');
  assert.equal(british.bytes(12), '12 B');
});
