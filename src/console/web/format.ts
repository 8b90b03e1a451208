/** Numbers, times and spans in the reader's language. Times are the reader's own; what is sent or kept is ISO 8601. */

export interface Format {
  readonly count: (value: number) => string;
  readonly share: (value: number) => string;
  readonly bytes: (value: number) => string;
  readonly time: (instant: string | number) => string;
  readonly minute: (instant: string | number) => string;
  readonly moment: (instant: string | number) => string;
  readonly day: (instant: string | number) => string;
  /** Of milliseconds: `430 ms`, `2.4 s`, `3 min`. */
  readonly span: (ms: number) => string;
  readonly ago: (instant: string | number, now?: number) => string;
}

export function formatIn(language: string): Format {
  const number = new Intl.NumberFormat(language);
  const oneDigit = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const share = new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 });
  const clock = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const time = new Intl.DateTimeFormat(language, { ...clock, second: '2-digit' });
  const minute = new Intl.DateTimeFormat(language, clock);
  const date = { year: 'numeric', month: '2-digit', day: '2-digit' } as const;
  const moment = new Intl.DateTimeFormat(language, { ...date, ...clock, second: '2-digit' });
  const day = new Intl.DateTimeFormat(language, { dateStyle: 'medium' });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto', style: 'short' });
  return {
    count: (value) => number.format(value),
    share: (value) => share.format(value),
    bytes: (value) => {
      const [amount, unit] = scaled(value, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
      return `${oneDigit.format(amount)} ${unit}`;
    },
    time: (instant) => time.format(new Date(instant)),
    minute: (instant) => minute.format(new Date(instant)),
    moment: (instant) => moment.format(new Date(instant)),
    day: (instant) => day.format(new Date(instant)),
    span: (ms) => {
      if (ms < 1000) return `${number.format(Math.round(ms))} ms`;
      const [amount, unit] = spanOf(ms);
      return `${oneDigit.format(amount)} ${unit}`;
    },
    ago: (instant, now = Date.now()) => {
      const seconds = Math.round((new Date(instant).getTime() - now) / 1000);
      const size = Math.abs(seconds);
      if (size < 90) return relative.format(seconds, 'second');
      if (size < 5400) return relative.format(Math.round(seconds / 60), 'minute');
      if (size < 129_600) return relative.format(Math.round(seconds / 3600), 'hour');
      return relative.format(Math.round(seconds / 86_400), 'day');
    },
  };
}

function spanOf(ms: number): readonly [number, string] {
  if (ms < 90_000) return [ms / 1000, 's'];
  if (ms < 5_400_000) return [ms / 60_000, 'min'];
  if (ms < 172_800_000) return [ms / 3_600_000, 'h'];
  return [ms / 86_400_000, 'd'];
}

function scaled(value: number, base: number, units: readonly string[]): readonly [number, string] {
  const power = value < base ? 0 : Math.min(Math.floor(Math.log(value) / Math.log(base)), units.length - 1);
  return [value / base ** power, units[power] ?? ''];
}
