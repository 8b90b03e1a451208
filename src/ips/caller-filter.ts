/**
 * The little of SCIM's filters that callers of the proxy interface may use: one `eq`, or `gt` on
 * meta.lastModified (facts: IPS 3.3). Everything else is refused, whatever the backend could do.
 */
import type { Comparison } from './backend.ts';
import type { Literal } from './filter.ts';
import { Refusal } from './refusal.ts';

export function readCallerFilter(
  query: URLSearchParams,
  unsupported: 'refuse' | 'ignore',
): Comparison | undefined {
  const text = query.get('filter');
  if (text === null || text.trim() === '') return undefined;
  const comparison = parseComparison(text.trim());
  if (comparison) return comparison;
  if (unsupported === 'ignore') return undefined;
  throw new Refusal(400, 'The filter is not supported.', { scimType: 'invalidFilter' });
}

function parseComparison(text: string): Comparison | undefined {
  const match =
    /^([A-Za-z$][\w$-]*(?:\[0\])?(?:\.[\w$-]+)*)\s+(eq|gt)\s+("(?:[^"\\]|\\.)*"|true|false|-?\d+)$/i.exec(
      text,
    );
  const [, attribute = '', operator = '', literal = ''] = match ?? [];
  if (!match) return undefined;
  const value = readLiteral(literal);
  if (value === undefined) return undefined;
  const isDelta = /^meta\.lastModified$/i.test(attribute);
  if (operator.toLowerCase() === 'gt')
    return isDelta && isInstant(value)
      ? { attribute, operator: 'gt', value: asUtc(String(value)) }
      : undefined;
  return { attribute: emailOf(attribute), operator: 'eq', value };
}

function readLiteral(text: string): Literal | undefined {
  if (!text.startsWith('"')) return { true: true, false: false }[text.toLowerCase()] ?? Number(text);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined; // an escape that JSON does not know: an unsupported filter like any other
  }
}

/** Of several e-mails only the first is ever searched (facts: IPS 3.3). */
function emailOf(attribute: string): string {
  return /^emails(\.value)?$/i.test(attribute) ? 'emails[0].value' : attribute;
}

function isInstant(value: unknown): boolean {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value));
}

/** Backends compare instants as text, so all of them are written alike. */
function asUtc(instant: string): string {
  return new Date(instant).toISOString();
}
