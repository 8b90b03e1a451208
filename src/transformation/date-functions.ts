/** manipulateDate and the variable currentDate (facts: transformations 7.3, 8.2). */
import { SyntaxFault } from './cursor.ts';
import { DateFormat, type Moment, offsetOf } from './date-format.ts';
import { RunFault } from './effort.ts';
import type { FunctionKind, Given, Work } from './function-kind.ts';
import { scalarText } from './function-kind.ts';

const text = { type: 'text' } as const;
const integer = { type: 'integer' } as const;
const units = ['years', 'months', 'days', 'hours', 'minutes', 'seconds'] as const;

/** The property with the format of date variables. */
const formatProperty = 'ips.date.variable.format';
const defaultFormat = 'yyyy-MM-dd HH:mm:ss.SSS';
const milliseconds = 'Date(milliseconds)';

export const dateFunctions = {
  manipulateDate: {
    parameters: {
      sourceDateFormat: text,
      targetDateFormat: text,
      years: integer,
      months: integer,
      days: integer,
      hours: integer,
      minutes: integer,
      seconds: integer,
    },
    prepare: manipulate,
  },
} as const satisfies Record<string, FunctionKind>;

function manipulate(given: Given): Work {
  const source = given.maybeText('sourceDateFormat');
  const target = given.maybeText('targetDateFormat');
  const parse =
    source === milliseconds
      ? () => parseMilliseconds
      : formatOr(source, (format) => (value: string) => format.parse(value));
  const format = formatOr(
    target ?? (source === milliseconds ? undefined : source),
    (known) => (moment: Moment) => known.format(moment),
  );
  const changes = units.map((unit) => ({ [unit]: given.integer(unit) }));
  return (value, { properties }) => {
    const { time, offsetMinutes } = parse(properties)(scalarText(value));
    try {
      return format(properties)({
        time: changes.reduce((moved, change) => moved.add(change), time),
        offsetMinutes,
      });
    } catch (error) {
      if (error instanceof RangeError) throw new RunFault('the date leaves the calendar');
      throw error;
    }
  };
}

/** A format that is given is checked now; otherwise the one of date variables holds, which is a property. */
function formatOr<W>(
  pattern: string | undefined,
  use: (format: DateFormat) => W,
): (properties: Readonly<Record<string, string>>) => W {
  if (pattern === undefined || pattern === '') return (properties) => use(variableFormat(properties));
  const work = use(new DateFormat(pattern));
  return () => work;
}

function variableFormat(properties: Readonly<Record<string, string>>): DateFormat {
  try {
    return new DateFormat(properties[formatProperty] ?? defaultFormat);
  } catch (error) {
    if (error instanceof SyntaxFault) throw new RunFault(`${formatProperty}: ${error.message}`);
    throw error;
  }
}

/** The offset is kept to be shown; the milliseconds are those of UTC. */
function parseMilliseconds(value: string): Moment {
  const [, digits, offset = ''] =
    /^\/?(?:Date\()?(-?\d{1,15})([-+]\d{2}:?\d{2})?\)?\/?$/.exec(value.trim()) ?? [];
  if (digits === undefined) throw new RunFault(`the value is not a date of the form ${milliseconds}`);
  const instant = Temporal.Instant.fromEpochMilliseconds(Number(digits));
  return { time: instant.toZonedDateTimeISO('UTC').toPlainDateTime(), offsetMinutes: offsetOf(offset) };
}

/** UTC: which zone SAP takes is not documented (facts: transformations 13). */
export function currentDate(now: Date, properties: Readonly<Record<string, string>>): string {
  const instant = Temporal.Instant.fromEpochMilliseconds(now.getTime());
  const time = instant.toZonedDateTimeISO('UTC').toPlainDateTime();
  return variableFormat(properties).format({ time, offsetMinutes: 0 });
}
