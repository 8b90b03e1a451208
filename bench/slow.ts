/**
 * What two thousand connections that send a head byte by byte cost a caller that is in the right, with the limits as
 * they are delivered: once from another address than the caller's, and once from the same.
 *
 *   node bench/slow.ts [seconds per measurement, default 4]
 */
import { beside } from './other.ts';
import { heading, inPairs, measure, row, type Figures } from './pairs.ts';
import { startService } from './service.ts';

interface Account {
  readonly open: number;
  readonly most: number;
  readonly cut: number;
}

const pace = { seconds: Number(process.argv[2] ?? 4), callsPerSecond: 100 };
const pairs = 5;
const sources = { 'another one': '127.0.0.2', 'its own': '127.0.0.1' };

const rows: string[] = [];
for (const [whose, address] of Object.entries(sources)) {
  await using service = await startService();
  const accounts: Account[] = [];
  const found = await inPairs(
    pairs,
    () => measure(service, pace),
    async (work) => {
      const args = [String(service.port), '2000', address];
      const [figures, account] = await beside<Figures, Account>('trickle.ts', args, work);
      accounts.push(account);
      return figures;
    },
    (pair) => process.stderr.write(`\r\u001b[Kslow connections from ${whose}: pair ${pair} of ${pairs}`),
  );
  const last = accounts.at(-1);
  rows.push(`${row(whose, found)}   ${last?.most} at most, ${last?.open} at the end, ${last?.cut} cut`);
}
process.stderr.write('\r\u001b[K');
console.log(
  `${pace.callsPerSecond} reads a second, medians of ${pairs} pairs of ${pace.seconds} s, milliseconds; the target is a rise of p99 by 20 % or 5 at most\n`,
);
console.log(`${heading('from address')}   slow connections in the last pair`);
console.log(rows.join('\n'));
