/** The part of the configuration that shapes the audit trail, and who outside of the gateway bears witness to it. */
import { z } from 'zod';

import { cosignatureType, parseKey } from '../audit/note.ts';
import { parseRevealKey } from '../audit/seal.ts';
import { destinations } from './config-destinations.ts';
import { path, privatePath, type References } from './config-references.ts';
import { count, name, refuse, size } from './config-values.ts';

export function audit(references: References) {
  return z
    .strictObject({
      directory: path(references)
        .prefault('../var/audit')
        .describe('Directory of the audit trail. Place it on a file system of its own.'),
      instance: name('._-', 'name of an instance')
        .optional()
        .describe(
          'Name of this gateway in the trail, and of its directory below `directory`. Unique among the replicas. Default: the host’s name.',
        ),
      keyFile: privatePath(references)
        .prefault('../var/keys/audit.key')
        .describe(
          'File with the 32 bytes that sign in the trail and of which other keys are made; generated when it is missing.',
        ),
      periodKeyFile: privatePath(references)
        .optional()
        .describe(
          'File with the key of the oldest quarter whose pseudonyms and seals can be read (`gatehouse audit erase`); the same for all replicas, generated when it is missing. Default: `periods.key` beside `keyFile`.',
        ),
      revealKeys: z
        .array(revealKey())
        .min(1)
        .max(2)
        .optional()
        .describe(
          'Public keys for which the identifiers that calls name are sealed, as `gatehouse audit new-key reveal` shows them. With two, both are needed to reveal them. Without, there are pseudonyms alone.',
        ),
      keepDays: count(1, 36_500)
        .optional()
        .describe(
          'How long closed segments are kept. Then they are removed, and the trail says so. Default: for good.',
        ),
      mode: z
        .enum(['fail-closed', 'fail-closed-writes'])
        .default('fail-closed')
        .describe(
          'Which calls are refused while the trail cannot be written: all (`fail-closed`), or all but reads (`fail-closed-writes`), whose records are made up later, as many as there is room for.',
        ),
      ballast: size({ max: '1GiB' })
        .prefault('64MiB')
        .describe(
          'Space that is put aside beside the trail and given free when the disk is full, so that the trail can still say so. `0B`: none.',
        ),
      destinations: destinations(references),
      witness: z
        .strictObject({
          url: witnessUrl().describe('Where it listens. Plain HTTP will do: all that passes is signed.'),
          publicKey: witnessKey().describe('Its public key, as `gatehouse witness` shows it.'),
        })
        .optional()
        .describe(
          'A service on another host that cosigns checkpoints and takes none that goes back on an earlier one (`gatehouse witness`).',
        ),
    })
    .prefault({})
    .describe('The audit trail.');
}

function witnessUrl() {
  const error = 'must be an address such as http://witness.example.com:8090';
  return z
    .string({ error })
    .meta({ title: 'address' })
    .transform((text, ctx) => {
      const url = URL.parse(text);
      if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash)
        refuse(ctx, error);
      return text.replace(/\/+$/, '');
    });
}

function revealKey() {
  const error = 'must be the public key of who may reveal identifiers, such as x25519:wBvK…=';
  return z
    .string({ error })
    .meta({ title: 'public key' })
    .refine((text) => parseRevealKey(text) !== undefined, { error });
}

function witnessKey() {
  const error = 'must be the key of a witness, such as witness.example.com/w1+141f260a+BMqTr…';
  return z
    .string({ error })
    .meta({ title: 'public key' })
    .refine((text) => parseKey(text)?.type === cosignatureType, { error });
}
