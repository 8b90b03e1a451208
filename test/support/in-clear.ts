/** A value of Redis as somebody there reads it: as it stands, and decoded where it is base64 of either alphabet. */
export function inClear(value: string): string {
  return `${value} ${Buffer.from(value, 'base64').toString('latin1')}`;
}
