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

/** What a byte outside of strings is for the depth; the end of the text reads as byte 0, which stops. */
const [plain, string, opening, closing] = [0, 1, 2, 3];
const marks = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (openings.has(byte)) return opening;
  if (closings.has(byte) || byte === 0) return closing;
  return byte === quote ? string : plain;
});

/** The members of the object whose brace stands at `at`, read as far as somebody asks; spans are those of values. */
export function* membersOf(json: Buffer, at: number): Generator<Member, void> {
  for (let next = skipSpace(json, at + 1); json[next] === quote;) {
    const nameEnd = endOfString(json, next);
    const start = skipSpace(json, skipSpace(json, nameEnd) + 1); // behind the colon
    const end = endOfValue(json, start);
    yield { name: nameIn(json, next, nameEnd), start, end };
    next = skipComma(json, end);
  }
}

function nameIn(json: Buffer, start: number, end: number): string {
  const bare = json.toString('utf8', start + 1, end - 1);
  const name: unknown = bare.includes('\\') ? JSON.parse(`"${bare}"`) : bare;
  return String(name).toLowerCase();
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
    while (marks[json[at] ?? 0] === plain) at += 1;
    const mark = marks[json[at] ?? 0];
    if (mark === string) at = endOfString(json, at) - 1;
    else depth += mark === opening ? 1 : -1;
    if (depth === 0) return at + 1;
  }
  return json.length;
}

function endOfString(json: Buffer, start: number): number {
  for (let at = start + 1; at < json.length; at += 1) {
    if (json[at] === quote) return at + 1;
    if (json[at] === backslash) at += 1;
  }
  return json.length;
}
