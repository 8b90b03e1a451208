/**
 * What a thousand bad log-ons a second from one source cost a caller that is in the right.
 *
 *   node bench/logons.ts [seconds per measurement, default 4]
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { stringify } from 'yaml';

import { generateSecret, hashSecret } from '../src/auth/secret.ts';
import { beside } from './other.ts';
import { heading, inPairs, measure, row, type Figures } from './pairs.ts';
import { startService } from './service.ts';

interface Flood {
  readonly perSecond: number;
  readonly answers: Readonly<Record<string, number>>;
}

const pace = { seconds: Number(process.argv[2] ?? 4), callsPerSecond: 100 };
const pairs = 5;
const secrets = { generated: generateSecret(), chosen: 'chosen by people, kept as argon2id' };
await using service = await startService(async (directory) => {
  const hashes = await Promise.all(Object.values(secrets).map(hashSecret));
  const book = stringify({ caller: hashes.map((hash) => ({ hash })) });
  await writeFile(join(directory, 'secrets.yaml'), book, { mode: 0o600 });
});

const rows: string[] = [];
for (const [kind, secret] of Object.entries(secrets)) {
  const authorization = `Basic ${Buffer.from(`caller:${secret}`).toString('base64')}`;
  const floods: Flood[] = [];
  const found = await inPairs(
    pairs,
    () => measure({ ...service, authorization }, pace),
    async (work) => {
      const [figures, flood] = await beside<Figures, Flood>('flood.ts', [`${service.url}/0`, '1000'], work);
      floods.push(flood);
      return figures;
    },
    (pair) => process.stderr.write(`\r\u001b[K${kind} secret: pair ${pair} of ${pairs}`),
  );
  const last = floods.at(-1);
  rows.push(`${row(kind, found)}   ${last?.perSecond.toFixed(0)}/s ${JSON.stringify(last?.answers)}`);
}
process.stderr.write('\r\u001b[K');
console.log(
  `${pace.callsPerSecond} reads a second, medians of ${pairs} pairs of ${pace.seconds} s, milliseconds; the target is a rise of p99 by 10 at most\n`,
);
console.log(`${heading('secret')}   guesses in the last pair`);
console.log(rows.join('\n'));
