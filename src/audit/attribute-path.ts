/**
 * Reads the path of a PATCH operation (RFC 7644 §3.5.2) or the name of a member, in every spelling of both. It is read to
 * be described, not to be carried out: what is no path is told as undefined, never guessed at.
 */
export interface AttributePath {
  /** URN of the schema that the attribute belongs to; empty where none is named. */
  readonly schema: string;
  /** Empty when the path is a schema alone. */
  readonly attribute: string;
  /** What stands in brackets. */
  readonly filter?: string;
  /** The name behind the dot. */
  readonly part?: string;
}

const maxLength = 2048;

export function readPath(text: string): AttributePath | undefined {
  if (text.length > maxLength) return undefined;
  const open = text.indexOf('[');
  if (open < 0) return split(text.trim());
  const close = endOfFilter(text, open);
  const tail = text.slice(close + 1).trim();
  if (close < 0 || (tail !== '' && !tail.startsWith('.'))) return undefined;
  const { schema, attribute } = split(text.slice(0, open).trim());
  const filter = text.slice(open + 1, close);
  return { schema, attribute, filter, ...(tail !== '' && { part: tail.slice(1) }) };
}

/** Quotes end where JSON's do; a bracket within them is part of a value. */
function endOfFilter(text: string, open: number): number {
  let quoted = false;
  for (let at = open + 1; at < text.length; at += 1) {
    const character = text[at];
    if (quoted && character === '\\') at += 1;
    else if (character === '"') quoted = !quoted;
    else if (character === ']' && !quoted) return at;
  }
  return -1;
}

/** `urn:…:2.0:User:name.familyName`: a schema has dots of its own, so its last colon is looked for first. */
function split(text: string): AttributePath {
  const isUrn = text.slice(0, 4).toLowerCase() === 'urn:';
  const colon = isUrn ? text.lastIndexOf(':') : -1;
  const last = text.slice(colon + 1);
  // A schema alone ends in the type that it is for, such as `User`.
  if (isUrn && /\d\.\d:[^:]*$/.test(text)) return { schema: text, attribute: '' };
  const dot = last.indexOf('.');
  const schema = isUrn ? text.slice(0, colon) : '';
  if (dot < 0) return { schema, attribute: last };
  return { schema, attribute: last.slice(0, dot), part: last.slice(dot + 1) };
}

const equalValue = /^value\s+eq\s+("(?:[^"\\]|\\.)*")$/is;

/** The values of `value eq "x" or value eq "y"`; undefined for a filter that says anything else. */
export function valuesIn(filter: string): readonly string[] | undefined {
  const values = alternatives(filter).map((text) => equalValue.exec(text.trim())?.[1]);
  try {
    return values.map((literal): string => JSON.parse(literal ?? ''));
  } catch {
    return undefined; // an alternative that is no comparison with a string
  }
}

/** Cut at every `or` outside of quotes. */
function alternatives(filter: string): readonly string[] {
  const found: string[] = [];
  let quoted = false;
  let from = 0;
  for (let at = 0; at < filter.length; at += 1) {
    const character = filter[at] ?? '';
    if (quoted && character === '\\') at += 1;
    else if (character === '"') quoted = !quoted;
    // Only at a blank is it worth a look, because a group's members may be removed by 20,000 filters.
    else if (!quoted && character <= ' ' && /^\sor\s$/i.test(filter.slice(at, at + 4))) {
      found.push(filter.slice(from, at));
      from = at + 4;
    }
  }
  return [...found, filter.slice(from)];
}
