/** Whether this host's clock is right, held against the clocks of others. */
import { Broken, type Sound } from './finding.ts';

const remedy =
  'Let chrony or systemd-timesyncd keep the clock; records, tokens and certificates are judged by it.';
const mostMs = 30_000;
const fairMs = 3000;

/** @param aheadMs how far the other clock is ahead of ours, as well as it is known */
export function skewOf(aheadMs: number): Sound {
  const seconds = (Math.abs(aheadMs) / 1000).toFixed(1);
  const found = `this host's clock is ${seconds} s ${aheadMs > 0 ? 'behind' : 'ahead'}`;
  if (Math.abs(aheadMs) > mostMs) throw new Broken(`${found}.`, remedy);
  if (Math.abs(aheadMs) > fairMs) return { outcome: 'warning', found, remedy };
  return { found: 'agrees with the clock of this host' };
}
