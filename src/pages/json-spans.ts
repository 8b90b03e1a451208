/**
 * Where the values of a JSON text begin and end, so that parts of it can be handed on as the bytes they are.
 * It trusts the text: whoever calls it knows that the bytes are valid JSON.
 */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Member extends Span {
  /** Its name in lower case, because SCIM's names have no case (RFC 7643 §2.1). */
  readonly name: string;
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openings = new Set(Buffer.from('{['));
const closings = new Set(Buffer.from('}]'));
const spaces = new Set(Buffer.from(' \t\r\n'));

/** The members of the object whose brace stands at `at`; the spans are those of their values. */
export function membersOf(json: Buffer, at: number): Member[] {
  const members: Member[] = [];
  for (let next = skipSpace(json, at + 1); json[next] === quote;) {
    const nameEnd = endOfString(json, next);
    const name: unknown = JSON.parse(json.toString('utf8', next, nameEnd));
    const start = skipSpace(json, skipSpace(json, nameEnd) + 1); // behind the colon
    const end = endOfValue(json, start);
    members.push({ name: String(name).toLowerCase(), start, end });
    next = skipComma(json, end);
  }
  return members;
}

/** The items of the array whose bracket stands at `at`. */
export function itemsOf(json: Buffer, at: number): Span[] {
  const items: Span[] = [];
  let start = skipSpace(json, at + 1);
  while (start < json.length && !closings.has(json[start] ?? 0)) {
    const end = endOfValue(json, start);
    items.push({ start, end });
    start = skipComma(json, end);
  }
  return items;
}

export function skipSpace(json: Buffer, at: number): number {
  let next = at;
  while (spaces.has(json[next] ?? 0)) next += 1;
  return next;
}

function skipComma(json: Buffer, at: number): number {
  const next = skipSpace(json, at);
  return json[next] === comma ? skipSpace(json, next + 1) : next;
}

function endOfValue(json: Buffer, start: number): number {
  const first = json[start] ?? 0;
  if (first === quote) return endOfString(json, start);
  if (openings.has(first)) return endOfContainer(json, start);
  let at = start;
  while (at < json.length && json[at] !== comma && !closings.has(json[at] ?? 0) && !spaces.has(json[at] ?? 0))
    at += 1;
  return at;
}

function endOfContainer(json: Buffer, start: number): number {
  let depth = 0;
  for (let at = start; at < json.length; at += 1) {
    const byte = json[at] ?? 0;
    if (byte === quote) at = endOfString(json, at) - 1;
    else if (openings.has(byte)) depth += 1;
    else if (closings.has(byte)) depth -= 1;
    if (depth === 0) return at + 1;
  }
  return json.length;
}

function endOfString(json: Buffer, start: number): number {
  let at = start;
  for (;;) {
    at = json.indexOf(quote, at + 1);
    if (at === -1) return json.length;
    let escapes = 0;
    while (json[at - 1 - escapes] === backslash) escapes += 1;
    if (escapes % 2 === 0) return at + 1;
  }
}
