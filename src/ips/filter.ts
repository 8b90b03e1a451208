/**
 * The whole filter grammar of RFC 7644 §3.4.2.2, parsed once and evaluated on plain JSON. Backends and PATCH
 * paths use it; the proxy interface itself allows callers far less (see caller-filter.ts).
 */
import { BackendFailure, scimFailure } from './refusal.ts';
import { attributeOf, isObject, parseAttributePath, type AttributePath, type Resource } from './resource.ts';

export const operators = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const;
export type Operator = (typeof operators)[number];
export type Literal = string | number | boolean | null;

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly left: Filter; readonly right: Filter }
  | { readonly kind: 'not'; readonly inner: Filter }
  | { readonly kind: 'present'; readonly path: AttributePath }
  | { readonly kind: 'elements'; readonly path: AttributePath; readonly inner: Filter }
  | {
      readonly kind: 'compare';
      readonly path: AttributePath;
      readonly operator: Operator;
      readonly value: Literal;
    };

const tokenPattern = /\s*(?:([()[\]])|("(?:[^"\\]|\\.)*")|([^\s()[\]"]+))/y;
const maxTokens = 500;

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  const trimmed = text.trim();
  tokenPattern.lastIndex = 0;
  for (let at = 0; at < trimmed.length; at = tokenPattern.lastIndex) {
    const match = tokenPattern.exec(trimmed);
    if (!match || tokens.length === maxTokens) throw invalidFilter();
    tokens.push(match[0].trim());
  }
  return tokens;
}

function invalidFilter(): BackendFailure {
  return scimFailure(400, 'The filter cannot be understood.', 'invalidFilter');
}

export function parseFilter(text: string): Filter {
  const parser = new Parser(tokenize(text));
  const filter = parser.disjunction();
  if (parser.next() !== undefined) throw invalidFilter();
  return filter;
}

class Parser {
  readonly #tokens: readonly string[];
  #at = 0;

  constructor(tokens: readonly string[]) {
    this.#tokens = tokens;
  }

  next(): string | undefined {
    return this.#tokens[this.#at++];
  }

  #takes(word: string): boolean {
    if (this.#tokens[this.#at]?.toLowerCase() !== word) return false;
    this.#at++;
    return true;
  }

  disjunction(): Filter {
    let left = this.#conjunction();
    while (this.#takes('or')) left = { kind: 'or', left, right: this.#conjunction() };
    return left;
  }

  #conjunction(): Filter {
    let left = this.#term();
    while (this.#takes('and')) left = { kind: 'and', left, right: this.#term() };
    return left;
  }

  #term(): Filter {
    if (this.#takes('not')) {
      if (!this.#takes('(')) throw invalidFilter();
      return { kind: 'not', inner: this.#closed(')') };
    }
    if (this.#takes('(')) return this.#closed(')');
    return this.#comparison(this.next());
  }

  #closed(end: string): Filter {
    const inner = this.disjunction();
    if (!this.#takes(end)) throw invalidFilter();
    return inner;
  }

  #comparison(name: string | undefined): Filter {
    if (name === undefined || !/^[$A-Za-z]/.test(name)) throw invalidFilter();
    const path = parseAttributePath(name);
    if (this.#takes('[')) return { kind: 'elements', path, inner: this.#closed(']') };
    if (this.#takes('pr')) return { kind: 'present', path };
    const operator = operators.find((known) => this.#takes(known));
    if (!operator) throw invalidFilter();
    return { kind: 'compare', path, operator, value: literal(this.next()) };
  }
}

function literal(token: string | undefined): Literal {
  if (token === undefined) throw invalidFilter();
  try {
    const value: unknown = JSON.parse(/^(true|false|null)$/i.test(token) ? token.toLowerCase() : token);
    if (value === null || typeof value === 'string' || typeof value === 'number') return value;
    if (typeof value === 'boolean') return value;
  } catch {
    // Not a JSON literal: refused below like every other syntax fault.
  }
  throw invalidFilter();
}

export function matches(filter: Filter, resource: Resource): boolean {
  switch (filter.kind) {
    case 'and':
      return matches(filter.left, resource) && matches(filter.right, resource);
    case 'or':
      return matches(filter.left, resource) || matches(filter.right, resource);
    case 'not':
      return !matches(filter.inner, resource);
    case 'present':
      return valuesAt(filter.path, resource).some((value) => value !== null && value !== '');
    case 'elements':
      return valuesAt(filter.path, resource).some((value) => isObject(value) && matches(filter.inner, value));
    default: {
      const values = valuesAt(filter.path, resource);
      if (filter.operator === 'ne') return !values.some((value) => compares('eq', value, filter));
      return values.some((value) => compares(filter.operator, value, filter));
    }
  }
}

/** All values at a path; arrays on the way are entered (RFC 7644 §3.4.2.2: any element may match). */
function valuesAt({ urn, names }: AttributePath, resource: Resource): unknown[] {
  let values: unknown[] = [urn === undefined ? resource : attributeOf(resource, urn)];
  for (const name of names)
    values = values
      .flatMap((value) => (isObject(value) ? stepInto(value, name) : []))
      .filter((value) => value !== undefined);
  return values;
}

/** `emails[0]` is not SCIM: it is how IPS names the first value (facts: IPS 3.3). */
function stepInto(object: Resource, name: string): unknown[] {
  const [, base, position] = /^(.+)\[(\d+)\]$/.exec(name) ?? [];
  if (base === undefined) return [attributeOf(object, name)].flat();
  const values = attributeOf(object, base);
  return Array.isArray(values) ? [values[Number(position)]] : [];
}

const caseExact = new Set(['id', 'externalid', 'value', '$ref', 'location', 'version']);

function compares(
  operator: Operator,
  found: unknown,
  { path, value: wanted }: Filter & { kind: 'compare' },
): boolean {
  const value = isObject(found) ? attributeOf(found, 'value') : found;
  if (operator === 'eq' && wanted === null) return value === null;
  if (typeof value === 'number' && typeof wanted === 'number') return ordered(operator, value, wanted);
  if (typeof value === 'boolean') return operator === 'eq' && value === wanted;
  if (typeof value !== 'string' || typeof wanted !== 'string') return false;
  const last = path.names.at(-1)?.toLowerCase() ?? '';
  const exact = caseExact.has(last) && path.names[0]?.toLowerCase() !== 'emails';
  return exact
    ? compareTexts(operator, value, wanted)
    : compareTexts(operator, value.toLowerCase(), wanted.toLowerCase());
}

function compareTexts(operator: Operator, value: string, wanted: string): boolean {
  if (operator === 'co') return value.includes(wanted);
  if (operator === 'sw') return value.startsWith(wanted);
  if (operator === 'ew') return value.endsWith(wanted);
  return ordered(operator, value, wanted);
}

function ordered<T extends number | string>(operator: Operator, value: T, wanted: T): boolean {
  switch (operator) {
    case 'eq':
      return value === wanted;
    case 'gt':
      return value > wanted;
    case 'ge':
      return value >= wanted;
    case 'lt':
      return value < wanted;
    case 'le':
      return value <= wanted;
    default:
      return false;
  }
}
