/**
 * The Jayway dialect of JSONPath, as far as facts: transformations 6.1 name it.
 * Filters are read by the caller's reader: conditions contain paths and paths contain conditions.
 */
import { type Cursor, SyntaxFault } from './cursor.ts';
import type { Condition, Literal, Path, Step } from './expression.ts';
import { looseJson } from './loose-json.ts';
import { pathFunctions } from './path-functions.ts';

type ReadCondition = (cursor: Cursor) => Condition;

const mostSteps = 500;
/** Characters that end a name: everywhere, and in a condition where blanks and operators follow. */
const ends = { alone: /[^.[(]+/, inCondition: /[^.[(\s)<>=~!,&|]+/ };

export function readPath(cursor: Cursor, readCondition: ReadCondition, within: keyof typeof ends): Path {
  const root = cursor.takes('@') ? '@' : '$';
  if (root === '$') cursor.expect('$');
  const steps: Step[] = [];
  while (cursor.peek() === '.' || cursor.peek() === '[') {
    steps.push(...readStep(cursor, readCondition, within));
    if (steps.length > mostSteps) cursor.fail('the path has too many steps');
  }
  return { root, steps, definite: steps.every((step, at) => isDefinite(step, at === steps.length - 1)) };
}

/** Several keys make one object at the end of a path and several branches inside it. */
export function isDefinite(step: Step, last: boolean): boolean {
  return (
    step.kind === 'key' || step.kind === 'index' || step.kind === 'call' || (step.kind === 'keys' && last)
  );
}

function readStep(cursor: Cursor, readCondition: ReadCondition, within: keyof typeof ends): Step[] {
  if (cursor.peek() === '[') return [readBracket(cursor, readCondition)];
  cursor.expect('.');
  const deep: Step[] = cursor.takes('.') ? [{ kind: 'deep' }] : [];
  if (cursor.peek() === '[') return [...deep, readBracket(cursor, readCondition)];
  if (cursor.takes('*')) return [...deep, { kind: 'every' }];
  const name = cursor.match(ends[within]);
  if (name === '') cursor.fail('expected a name');
  if (/\s/.test(name)) throw new SyntaxFault('a name with blanks needs brackets', `: ['${name.trim()}']`);
  if (cursor.peek() !== '(') return [...deep, { kind: 'key', key: name }];
  return [...deep, readCall(cursor, name, readCondition)];
}

function readCall(cursor: Cursor, name: string, readCondition: ReadCondition): Step {
  if (!Object.hasOwn(pathFunctions, name)) cursor.fail(`unknown path function ${name}()`);
  const parameters: (Path | Literal)[] = [];
  cursor.expect('(');
  while (!cursor.skipBlanks().takes(')')) {
    const isPath = cursor.peek() === '$' || cursor.peek() === '@';
    parameters.push(
      isPath
        ? cursor.nested(() => readPath(cursor, readCondition, 'inCondition'))
        : { kind: 'literal', value: looseJson(cursor) },
    );
    if (!cursor.skipBlanks().takes(',') && cursor.peek() !== ')') cursor.fail('expected , or )');
  }
  return { kind: 'call', name, parameters };
}

function readBracket(cursor: Cursor, readCondition: ReadCondition): Step {
  cursor.expect('[');
  const step = cursor.nested(() => readBracketContent(cursor.skipBlanks(), readCondition));
  cursor.skipBlanks().expect(']');
  return step;
}

function readBracketContent(cursor: Cursor, readCondition: ReadCondition): Step {
  if (cursor.takes('*')) return { kind: 'every' };
  if (cursor.takes('?')) return readFilter(cursor, readCondition);
  if (cursor.peek() === "'" || cursor.peek() === '"') return readKeys(cursor);
  return readNumbers(cursor);
}

function readFilter(cursor: Cursor, readCondition: ReadCondition): Step {
  cursor.skipBlanks().expect('(');
  const condition = readCondition(cursor);
  cursor.skipBlanks().expect(')');
  return { kind: 'filter', condition };
}

function readKeys(cursor: Cursor): Step {
  const keys: string[] = [];
  do {
    const quote = cursor.skipBlanks().peek();
    if (quote !== "'" && quote !== '"') cursor.fail('expected a quoted name');
    keys.push(cursor.quoted());
  } while (cursor.skipBlanks().takes(','));
  const [key = ''] = keys;
  return keys.length === 1 ? { kind: 'key', key } : { kind: 'keys', keys };
}

function readNumbers(cursor: Cursor): Step {
  const text = cursor.match(/[-\d:, ]+/).trim();
  const slice = /^(-?\d{1,9})?\s*:\s*(-?\d{1,9})?$/.exec(text);
  if (slice && text !== ':') return { kind: 'slice', from: numeral(slice[1]), to: numeral(slice[2]) };
  if (!/^-?\d{1,9}(\s*,\s*-?\d{1,9})*$/.test(text))
    cursor.fail('expected a name, an index, a slice, * or ?(…) in brackets');
  const indexes = text.split(',').map(Number);
  const [index = 0] = indexes;
  return indexes.length === 1 ? { kind: 'index', index } : { kind: 'indexes', indexes };
}

function numeral(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
