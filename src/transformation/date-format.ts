/**
 * Java's date patterns (java.time.format.DateTimeFormatter), read and written in English and without a time zone
 * database: a zone is an offset that is shown, never reckoned with (facts: transformations 8.2).
 */
import { SyntaxFault } from './cursor.ts';
import { RunFault } from './effort.ts';

export interface Moment {
  readonly time: Temporal.PlainDateTime;
  readonly offsetMinutes: number;
}

type Part =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'field'; readonly letter: string; readonly width: number };

export class DateFormat {
  readonly #pattern: string;
  readonly #parts: readonly Part[];

  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#parts = partsOf(pattern);
  }

  format(moment: Moment): string {
    return this.#parts
      .map((part) => (part.kind === 'literal' ? part.text : show(part.letter, part.width, moment)))
      .join('');
  }

  parse(text: string): Moment {
    const fields = new Map<string, string>();
    let rest = text;
    for (const [at, part] of this.#parts.entries()) {
      const taken =
        part.kind === 'literal' ? literal(part.text, rest) : digest(part, this.#parts[at + 1], rest);
      if (taken === undefined) return this.#refuse();
      if (part.kind === 'field') fields.set(part.letter, taken);
      rest = rest.slice(taken.length);
    }
    return rest === '' ? this.#moment(fields) : this.#refuse();
  }

  #refuse(): never {
    throw new RunFault(`the value is not a date of the form ${this.#pattern}`);
  }

  #moment(fields: ReadonlyMap<string, string>): Moment {
    try {
      return momentOf(fields);
    } catch (error) {
      if (error instanceof RangeError) return this.#refuse();
      throw error;
    }
  }
}

const letters = 'GuyMLdDHkKhmsSaEQzVXxZO';

function partsOf(pattern: string): Part[] {
  const parts: Part[] = [];
  for (const [token] of pattern.matchAll(/'(?:[^']|'')*'?|([A-Za-z])\1*|[^A-Za-z']+/g)) {
    if (token.startsWith("'")) parts.push({ kind: 'literal', text: unquoted(token) });
    else if (/[[\]{}#]/.test(token))
      throw new SyntaxFault(`optional parts and # { } are not supported in ${pattern}`);
    else if (!/^[A-Za-z]/.test(token)) parts.push({ kind: 'literal', text: token });
    else if (letters.includes(token.charAt(0)))
      parts.push({ kind: 'field', letter: token.charAt(0), width: token.length });
    else throw new SyntaxFault(`unknown pattern letter ${token.charAt(0)} in ${pattern}`);
  }
  return parts;
}

function unquoted(token: string): string {
  if (token === "''") return "'";
  if (token.length < 2 || !token.endsWith("'"))
    throw new SyntaxFault('a quotation in the date format is not closed');
  return token.slice(1, -1).replaceAll("''", "'");
}

const day = 86_400_000;
const months = Array.from({ length: 12 }, (_, month) => name(month * 31 * day, { month: 'long' }));
/** 1970-01-05 was a Monday. */
const weekdays = Array.from({ length: 7 }, (_, at) => name((at + 4) * day, { weekday: 'long' }));

function name(epochMs: number, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat('en', { ...options, timeZone: 'UTC' }).format(epochMs);
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function text(names: readonly string[], at: number, width: number): string {
  const full = names[at] ?? '';
  return width === 4 ? full : full.slice(0, width === 5 ? 1 : 3);
}

function show(letter: string, width: number, { time, offsetMinutes }: Moment): string {
  const hour = time.hour;
  switch (letter) {
    case 'G':
      return 'AD';
    case 'u':
    case 'y':
      return width === 2 ? pad(time.year % 100, 2) : pad(time.year, width);
    case 'M':
    case 'L':
      return width > 2 ? text(months, time.month - 1, width) : pad(time.month, width);
    case 'E':
      return text(weekdays, time.dayOfWeek - 1, width);
    case 'a':
      return hour < 12 ? 'AM' : 'PM';
    case 'S':
      return (pad(time.millisecond, 3) + pad(time.microsecond, 3) + pad(time.nanosecond, 3))
        .padEnd(width, '0')
        .slice(0, width);
    case 'z':
    case 'V':
    case 'X':
    case 'x':
    case 'Z':
    case 'O':
      return showOffset(letter, width, offsetMinutes);
    default:
      return pad(numberOf(letter, time), width);
  }
}

function numberOf(letter: string, time: Temporal.PlainDateTime): number {
  const hour = time.hour;
  switch (letter) {
    case 'd':
      return time.day;
    case 'D':
      return time.dayOfYear;
    case 'H':
      return hour;
    case 'k':
      return hour === 0 ? 24 : hour;
    case 'K':
      return hour % 12;
    case 'h':
      return hour % 12 === 0 ? 12 : hour % 12;
    case 'm':
      return time.minute;
    case 's':
      return time.second;
    default:
      return Math.ceil(time.month / 3);
  }
}

function showOffset(letter: string, width: number, offset: number): string {
  const sign = offset < 0 ? '-' : '+';
  const hours = Math.floor(Math.abs(offset) / 60);
  const minutes = Math.abs(offset) % 60;
  const short = `${sign}${hours}${minutes === 0 ? '' : `:${pad(minutes, 2)}`}`;
  const long = `${sign}${pad(hours, 2)}:${pad(minutes, 2)}`;
  if (letter === 'z' || letter === 'V') return offset === 0 ? 'UTC' : `UTC${short}`;
  if (letter === 'O' || (letter === 'Z' && width === 4)) {
    return offset === 0 ? 'GMT' : `GMT${width === 4 ? long : short}`;
  }
  if (offset === 0 && (letter === 'X' || (letter === 'Z' && width === 5))) return 'Z';
  if (letter !== 'Z' && width === 1 && minutes === 0) return `${sign}${pad(hours, 2)}`;
  return width === 3 || width === 5
    ? letter === 'Z' && width === 3
      ? long.replace(':', '')
      : long
    : long.replace(':', '');
}

function literal(wanted: string, rest: string): string | undefined {
  return rest.startsWith(wanted) ? wanted : undefined;
}

/** What one field takes from the text; digits stop at its width when another number follows at once. */
function digest(
  { letter, width }: Part & { kind: 'field' },
  next: Part | undefined,
  rest: string,
): string | undefined {
  const fixed = next?.kind === 'field' && isNumeric(next);
  if ('zVXxZO'.includes(letter)) return /^(?:(?:UTC|GMT)?[-+]\d{1,2}(?::?\d{2})?|UTC|GMT|Z)/.exec(rest)?.[0];
  if (letter === 'a') return /^[AaPp][Mm]/.exec(rest)?.[0];
  if (letter === 'G') return /^(?:AD|CE)/.exec(rest)?.[0];
  if (letter === 'E' || ((letter === 'M' || letter === 'L') && width > 2))
    return /^[A-Za-z]+/.exec(rest)?.[0];
  if (letter === 'S' || fixed) return new RegExp(`^\\d{${width}}`).exec(rest)?.[0];
  return (
    width > 2 ? new RegExp(`^\\d{${width},9}`) : width === 2 && 'uy'.includes(letter) ? /^\d{2}/ : /^\d{1,9}/
  ).exec(rest)?.[0];
}

function isNumeric({ letter, width }: Part & { kind: 'field' }): boolean {
  return 'uydDHkKhmsSQ'.includes(letter) || ('ML'.includes(letter) && width <= 2);
}

function momentOf(fields: ReadonlyMap<string, string>): Moment {
  const number = (letter: string, otherwise: number): number => Number(fields.get(letter) ?? otherwise);
  const fractions = (fields.get('S') ?? '').padEnd(9, '0');
  const fraction = (from: number): number => Number(fractions.slice(from, from + 3));
  const yearText = fields.get('y') ?? fields.get('u') ?? '1970';
  const date = {
    year: yearText.length === 2 ? 2000 + Number(yearText) : Number(yearText),
    month: monthOf(fields.get('M') ?? fields.get('L')),
    day: number('d', 1),
    hour: hourOf(fields),
    minute: number('m', 0),
    second: number('s', 0),
    millisecond: fraction(0),
    microsecond: fraction(3),
    nanosecond: fraction(6),
  };
  const time = Temporal.PlainDateTime.from(date, { overflow: 'reject' });
  const dayOfYear = fields.get('D');
  const shown =
    dayOfYear === undefined ? time : time.with({ month: 1, day: 1 }).add({ days: Number(dayOfYear) - 1 });
  return {
    time: shown,
    offsetMinutes: offsetOf(
      ['X', 'x', 'Z', 'z', 'O', 'V'].map((letter) => fields.get(letter)).find(Boolean) ?? '',
    ),
  };
}

function monthOf(text: string | undefined): number {
  if (text === undefined) return 1;
  if (/^\d/.test(text)) return Number(text);
  return (
    months.findIndex((month) => text.length >= 3 && month.toLowerCase().startsWith(text.toLowerCase())) + 1
  );
}

function hourOf(fields: ReadonlyMap<string, string>): number {
  const half = fields.get('h') ?? fields.get('K');
  const afternoon = fields.get('a')?.toUpperCase() === 'PM' ? 12 : 0;
  if (half !== undefined) return (Number(half) % 12) + afternoon;
  return Number(fields.get('H') ?? fields.get('k') ?? 0) % (fields.has('H') ? Infinity : 24);
}

export function offsetOf(text: string): number {
  const [, sign, hours = 0, minutes = 0] = /([-+])(\d{1,2}):?(\d{2})?$/.exec(text) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
