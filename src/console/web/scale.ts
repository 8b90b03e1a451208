/** Where values stand on a chart's axes. */

/** Round steps from 0 to at least `max`, about `count` of them. */
export function ticksTo(max: number, count: number): readonly number[] {
  if (max <= 0) return [0, 1];
  const raw = max / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(1, ([1, 2, 5, 10].find((factor) => factor * power >= raw) ?? 10) * power);
  const last = Math.ceil(max / step);
  return Array.from({ length: last + 1 }, (_, index) => index * step);
}

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const timeSteps = [
  second,
  2 * second,
  5 * second,
  10 * second,
  30 * second,
  minute,
  2 * minute,
  5 * minute,
  15 * minute,
  30 * minute,
  hour,
  3 * hour,
  6 * hour,
  12 * hour,
  day,
  2 * day,
  7 * day,
  14 * day,
  30 * day,
  91 * day,
  365 * day,
];

/** Instants between two others at which a reader expects a label, at most `count`; on whole hours and days of their own clock. */
export function instantsBetween(from: number, to: number, count: number): readonly number[] {
  const step = timeSteps.find((size) => (to - from) / size <= count) ?? 365 * day;
  const offset = new Date(from).getTimezoneOffset() * minute;
  const first = Math.ceil((from - offset) / step) * step + offset;
  const instants: number[] = [];
  for (let at = first; at <= to; at += step) instants.push(at);
  return instants;
}
