/** Whether an instant lies in a planned window, by the clocks of the place that the window is written for. Pure. */
export const days = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

export interface PlannedWindow {
  /** On which it begins; all of them by default. */
  readonly days?: readonly (typeof days)[number][] | undefined;
  /** `HH:MM`; a window whose end is not behind its beginning goes on into the next day. */
  readonly from: string;
  readonly to: string;
  /** The first and the last day on which it may begin, `YYYY-MM-DD`. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly timezone: string;
}

export function isWithin(window: PlannedWindow, at: Date): boolean {
  const { time, date } = localTime(window.timezone, at);
  const { from, to } = window;
  if (from < to) return time >= from && time < to && mayBegin(window, date);
  return (time >= from && mayBegin(window, date)) || (time < to && mayBegin(window, dayBefore(date)));
}

function mayBegin({ days: allowed, since = '', until = '9999' }: PlannedWindow, date: string): boolean {
  // Sunday is day 0 for Date, and the last of ours.
  const day = days[(new Date(`${date}T00:00Z`).getUTCDay() + 6) % 7];
  return (
    date >= since && date <= until && (allowed === undefined || (day !== undefined && allowed.includes(day)))
  );
}

function dayBefore(date: string): string {
  return new Date(Date.parse(`${date}T00:00Z`) - 86_400_000).toISOString().slice(0, 10);
}

function localTime(timeZone: string, at: Date): { readonly time: string; readonly date: string } {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const { year, month, day, hour, minute } = Object.fromEntries(parts);
  return { time: `${hour}:${minute}`, date: `${year}-${month}-${day}` };
}
