/** Lengths of time as arguments give them: what the configuration takes, and days, so that nobody learns a second notation. */
import { durations } from '../gateway/config-values.ts';

const units: Readonly<Record<string, number>> = { ...durations, d: 86_400_000 };
const pattern = new RegExp(`^(\\d{1,6})(${Object.keys(units).join('|')})$`);

/** In milliseconds; undefined for what is none. */
export function durationIn(text: string): number | undefined {
  const [, count = '', unit = ''] = pattern.exec(text) ?? [];
  const length = units[unit];
  return length === undefined ? undefined : Number(count) * length;
}
