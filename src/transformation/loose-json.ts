/** The JSON of conditions: quotes of either kind and bare words, as the parser behind Jayway reads it. */
import type { Cursor } from './cursor.ts';
import { type Draft, type DraftObject, setProperty } from './json.ts';

export function looseJson(cursor: Cursor): Draft {
  const next = cursor.skipBlanks().peek();
  if (next === '[') return cursor.nested(() => list(cursor));
  if (next === '{') return cursor.nested(() => object(cursor));
  if (next === "'" || next === '"') return cursor.quoted();
  return bareWord(cursor);
}

function list(cursor: Cursor): Draft[] {
  const items: Draft[] = [];
  cursor.expect('[');
  while (!cursor.skipBlanks().takes(']')) {
    items.push(looseJson(cursor));
    if (!cursor.skipBlanks().takes(',') && cursor.peek() !== ']') cursor.fail('expected , or ]');
  }
  return items;
}

function object(cursor: Cursor): DraftObject {
  const made: DraftObject = {};
  cursor.expect('{');
  while (!cursor.skipBlanks().takes('}')) {
    const key =
      cursor.peek() === "'" || cursor.peek() === '"' ? cursor.quoted() : cursor.match(/[^:\s{}[\],]+/);
    cursor.skipBlanks().expect(':');
    setProperty(made, key, looseJson(cursor));
    if (!cursor.skipBlanks().takes(',') && cursor.peek() !== '}') cursor.fail('expected , or }');
  }
  return made;
}

const words: Readonly<Record<string, Draft>> = { true: true, false: false, null: null };

function bareWord(cursor: Cursor): Draft {
  const word = cursor.match(/[^,\]})\s]+/);
  if (word === '') cursor.fail('expected a value');
  if (Object.hasOwn(words, word)) return words[word] ?? null;
  return /^-?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(word) ? Number(word) : word;
}
