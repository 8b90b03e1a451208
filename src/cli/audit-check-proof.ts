/** `gatehouse audit check-proof`: believes a record because of a public key, and nothing else. */
import { cosignatureType, parseKey, plainType, type NoteKey } from '../audit/note.ts';
import { checkRecord, parseProof, type Checked } from '../audit/proof.ts';
import { parseKeys } from '../audit/published-keys.ts';
import { readArguments, WrongUsage } from './arguments.ts';
import { contentOf, exitCodes } from './audit-input.ts';
import { visible } from './audit-table.ts';
import { write } from './output.ts';

export const help = `usage: gatehouse audit check-proof <proof> --key KEY... [--witness-key KEY]... [--json]

Checks a proof that 'gatehouse audit prove' has made: the line is as it was written, it stands at its place in the chain
that the checkpoint speaks of, and the checkpoint is signed by the chain's log key. The trail is not needed.

  <proof>            the file
  --key KEY          a copy of the chain's keys.pub, or its log key as one word
  --witness-key KEY  the public key of a witness, as a file or one word: it must have cosigned the checkpoint
  --json             [{"proven":…,"problem":…,"origin":…,"size":…,"witnessedAt":…,"seq":…,"line":…}], one a record
  --help             this text

examples:
  gatehouse audit check-proof deletion.proof --key gateway-1.pub
  gatehouse audit check-proof deletion.proof --key gateway-1.pub --witness-key witness.pub --json

exit codes:
  0  every record of the proof is proven
  1  one is not (the reason is told)
  4  the command was not understood, or a file cannot be read
`;

const options = {
  key: { type: 'string', multiple: true },
  'witness-key': { type: 'string', multiple: true },
  json: { type: 'boolean', default: false },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help, 1);
  if (!given) return exitCodes.done;
  const { key: keyWords = [], 'witness-key': witnessWords = [], json } = given.values;
  if (keyWords.length === 0) throw new WrongUsage('--key is needed: a proof is worth what its key is', help);
  const keys = (await Promise.all(keyWords.map(keysIn))).flat().filter(({ type }) => type === plainType);
  const witnesses = (await Promise.all(witnessWords.map(keysIn))).flat();
  if (witnesses.some(({ type }) => type !== cosignatureType))
    throw new WrongUsage('--witness-key is the key of a witness', help);
  const [file = ''] = given.positionals;
  const proof = parseProof(await contentOf(file, help));
  if (!proof) throw new WrongUsage(`${file} is no proof`, help);
  const checked = proof.records.map((record) => checkRecord(record, keys, witnesses));
  await write(
    json ? `${JSON.stringify(checked.map(reportOf), null, 2)}\n` : checked.map(describe).join('\n'),
  );
  return checked.every(({ problem }) => problem === undefined) ? exitCodes.done : exitCodes.finding;
}

async function keysIn(word: string): Promise<NoteKey[]> {
  const key = parseKey(word);
  if (key) return [key];
  const keys = parseKeys(await contentOf(word, help));
  if (keys.length === 0) throw new WrongUsage(`${word} holds no public key`, help);
  return keys;
}

function reportOf({ line, prefix, origin, size, witnessedAt, problem }: Checked): object {
  return { proven: problem === undefined, problem, origin, size, witnessedAt, seq: prefix?.seq, line };
}

function describe({ line, prefix, origin, size, witnessedAt, problem }: Checked): string {
  const verdict = problem === undefined ? 'proven' : `NOT PROVEN: ${problem}`;
  const rows = [
    ['record', prefix ? `${prefix.seq}, ${prefix.event}, ${prefix.ts}` : '-'],
    ['chain', origin === undefined ? '-' : `${visible(origin)}, checkpoint of ${size} lines`],
    ...(witnessedAt === undefined ? [] : [['witnessed', witnessedAt]]),
    ['line', visible(line)],
  ].map(([name = '', text]) => `  ${name.padEnd(9)} ${text}`);
  return `${verdict}\n${rows.join('\n')}\n`;
}
