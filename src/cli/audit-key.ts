/** `gatehouse audit key`: the public keys that an auditor and a witness keep, with their fingerprints. */
import { findChains } from '../audit/chain-files.ts';
import { encodeKey, type NoteKey } from '../audit/note.ts';
import { readPublishedKeys } from '../audit/published-keys.ts';
import { fingerprint } from '../audit/signing-key.ts';
import { readable, readArguments } from './arguments.ts';

export const help = `usage: gatehouse audit key <directory> [--json]

Shows the public keys of the trail's instances. Write the root key's fingerprint down after the first start, or copy
the file keys.pub to another host: 'audit verify --key' takes either. A witness takes the log key.

  <directory>   the audit directory of all instances, or of one
  --json        one {"instance":…,"keys":[{"name":…,"key":…,"fingerprint":…}]} for each instance

examples:
  gatehouse audit key var/audit

exit codes: 0 done, 1 a key cannot be read, 4 wrong usage, or the directory cannot be read
`;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { json: { type: 'boolean' } }, help, 1);
  if (!given) return 0;
  const [place = ''] = given.positionals;
  for (const { instance, directories } of await readable(place, help, () => findChains([place]))) {
    const keys = (await Promise.all(directories.map(readPublishedKeys))).flat();
    process.stdout.write(
      given.values.json
        ? `${JSON.stringify({ instance, keys: keys.map(plain) })}\n`
        : `${instance}\n${keys.map(describe).join('')}`,
    );
  }
  return 0;
}

function describe(key: NoteKey): string {
  const isRoot = key.name.endsWith('/root');
  const title = isRoot ? 'root key (for the auditor)' : 'log key (for a witness)';
  return `  ${title}\n    ${encodeKey(key)}\n${isRoot ? `    ${fingerprint(key.publicKey)}\n` : ''}`;
}

function plain(key: NoteKey) {
  return { name: key.name, key: encodeKey(key), fingerprint: fingerprint(key.publicKey) };
}
