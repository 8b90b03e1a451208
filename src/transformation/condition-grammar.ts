/**
 * The grammar of conditions (facts: transformations 7.1): Jayway's filter expressions plus SAP's functions.
 * `||` binds weaker than `&&`; a path alone asks whether it exists.
 */
import { refusalOfCall } from './condition-functions.ts';
import { Cursor, SyntaxFault } from './cursor.ts';
import { type Condition, type Operand, type Operator, operators, type Path } from './expression.ts';
import { looseJson } from './loose-json.ts';
import { readPath } from './path-grammar.ts';
import { JavaRegex } from './regex.ts';

export function parseCondition(text: string): Condition {
  const cursor = new Cursor(text);
  const condition = readOr(cursor);
  if (!cursor.skipBlanks().ended) cursor.fail('expected an operator or the end');
  return condition;
}

/** A path without `$.` gets one, as in Jayway. */
export function parsePath(text: string): Path {
  const trimmed = text.trim();
  if (trimmed === '') throw new SyntaxFault('the path is empty');
  const cursor = new Cursor(/^[$@]/.test(trimmed) ? trimmed : `$.${trimmed}`);
  const path = readPath(cursor, readOr, 'alone');
  if (!cursor.ended) cursor.fail('expected . or [ or the end of the path');
  return path;
}

function readOr(cursor: Cursor): Condition {
  return readChain(cursor, 'or', '||', () => readChain(cursor, 'and', '&&', () => readPart(cursor)));
}

function readChain(cursor: Cursor, kind: 'or' | 'and', sign: string, read: () => Condition): Condition {
  const parts = [cursor.nested(read)];
  while (cursor.skipBlanks().takes(sign)) parts.push(cursor.nested(read));
  const [only] = parts;
  return parts.length === 1 && only ? only : { kind, parts };
}

function readPart(cursor: Cursor): Condition {
  if (cursor.skipBlanks().peek() === '!' && cursor.peek(1) !== '=') {
    cursor.at += 1;
    return { kind: 'not', part: cursor.nested(() => readPart(cursor)) };
  }
  if (cursor.takes('(')) {
    const inner = readOr(cursor);
    cursor.skipBlanks().expect(')');
    return inner;
  }
  return readCall(cursor) ?? readRelation(cursor);
}

function readCall(cursor: Cursor): Condition | undefined {
  const start = cursor.at;
  const name = cursor.match(/[A-Za-z]\w*/);
  if (name === '' || !cursor.skipBlanks().takes('(')) {
    cursor.at = start;
    return undefined;
  }
  const texts = readArguments(cursor);
  const [subject, key = ''] = texts;
  const reason = refusalOfCall(name, texts.length);
  if (reason !== undefined) throw new SyntaxFault(reason);
  return {
    kind: 'call',
    name,
    subject: subject === undefined ? undefined : parsePath(unquoted(subject)),
    key: unquoted(key),
  };
}

/** The arguments as they stand: paths, `@`, or bare property keys (facts: transformations 7.1.2). */
function readArguments(cursor: Cursor): string[] {
  const texts: string[] = [];
  let start = cursor.at;
  for (let depth = 0; !cursor.ended;) {
    const next = cursor.peek();
    if (next === "'" || next === '"') {
      cursor.quoted();
      continue;
    }
    if (depth === 0 && (next === ',' || next === ')')) {
      texts.push(cursor.text.slice(start, cursor.at).trim());
      start = cursor.at + 1;
    }
    cursor.at += 1;
    if (depth === 0 && next === ')') return texts.length === 1 && texts[0] === '' ? [] : texts;
    if ('[('.includes(next)) depth += 1;
    if ('])'.includes(next)) depth -= 1;
  }
  return cursor.fail('the list of arguments is not closed');
}

function unquoted(text: string): string {
  return /^(['"]).*\1$/s.test(text) ? text.slice(1, -1) : text;
}

function readRelation(cursor: Cursor): Condition {
  const left = readOperand(cursor);
  const operator = readOperator(cursor);
  if (operator === undefined) return alone(cursor, left);
  const right = readOperand(cursor);
  refuseMismatch(cursor, operator, right);
  return { kind: 'relation', left, operator, right };
}

/** A literal alone stems from a `%parameter%`, such as a switch that is true, false or missing. */
function alone(cursor: Cursor, operand: Operand): Condition {
  if (operand.kind === 'path') return { kind: 'exists', path: operand.path };
  const value = operand.kind === 'literal' ? operand.value : undefined;
  if (typeof value === 'boolean' || value === null) return { kind: 'constant', holds: value === true };
  return cursor.fail('expected an operator');
}

function readOperator(cursor: Cursor): Operator | undefined {
  const sign = cursor.skipBlanks().match(/[<>=~!]+|[A-Za-z]+/);
  if (sign === '') return undefined;
  const operator = operators.find((known) => known === sign.toUpperCase());
  if (operator) return operator;
  cursor.at -= sign.length;
  return cursor.fail('unknown operator');
}

function refuseMismatch(cursor: Cursor, operator: Operator, right: Operand): void {
  if (operator === 'EMPTY' && !(right.kind === 'literal' && typeof right.value === 'boolean')) {
    cursor.fail('EMPTY needs true or false after it');
  }
  if (operator === 'SIZE' && right.kind === 'literal' && typeof right.value !== 'number') {
    cursor.fail('SIZE needs a number after it');
  }
}

function readOperand(cursor: Cursor): Operand {
  const next = cursor.skipBlanks().peek();
  if (next === '$' || next === '@') return { kind: 'path', path: readPath(cursor, readOr, 'inCondition') };
  if (next === '/') return readPattern(cursor);
  if (next === "'" || next === '"') {
    const text = cursor.quoted();
    return text.includes('${') ? { kind: 'template', text } : { kind: 'literal', value: text };
  }
  if (next === '[' || next === '{') return { kind: 'literal', value: looseJson(cursor) };
  return { kind: 'literal', value: readWord(cursor) };
}

function readWord(cursor: Cursor): boolean | null | number {
  const word = cursor.match(/[-+\w.]+/);
  const lower = word.toLowerCase();
  if (lower === 'null') return null;
  if (lower === 'true' || lower === 'false') return lower === 'true';
  if (!/^[-+]?\d+(\.\d+)?([eE][-+]?\d+)?$/.test(word)) {
    cursor.at -= word.length;
    cursor.fail('expected a path or a literal (texts need quotes)');
  }
  return Number(word);
}

function readPattern(cursor: Cursor): Operand {
  const start = cursor.at;
  cursor.match(/\/(?:\\[^]|[^/\\])*/);
  if (cursor.peek() !== '/') {
    cursor.at = start;
    cursor.fail('the regular expression is not closed');
  }
  const source = cursor.text.slice(start + 1, cursor.at);
  cursor.at += 1;
  const flags = cursor.match(/[dixmsuU]*/);
  return {
    kind: 'pattern',
    source,
    flags,
    regex: source.includes('${') ? undefined : new JavaRegex(source, flags),
  };
}
