/**
 * What authorities sign, certificates and revocation lists alike (RFC 5280 §4.1, §5.1): its fields, its extensions,
 * and by whom. Invariant: an algorithm or a key that is too weak today signs nothing.
 */
import { verify, type KeyObject } from 'node:crypto';

import { children, tags, type Element } from './der.ts';

export interface Signed {
  readonly fields: readonly Element[];
  isBy(key: KeyObject): boolean;
}

export interface Extension {
  /** Its object identifier, as the hexadecimal digits of its DER. */
  readonly id: string;
  readonly isCritical: boolean;
  readonly value: Buffer;
}

/** Algorithms of signatures, and the digest that each takes; Ed25519 brings its own. */
const digests: Readonly<Record<string, string | null>> = {
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2b6570': null,
};

export function readSigned(bytes: Buffer): Signed {
  const [outer, ...behind] = children(bytes);
  const [inner, algorithm, signature, ...more] = children(outer?.content ?? bytes);
  if (!inner || !algorithm || !signature || behind.length + more.length > 0)
    throw new RangeError('A field is missing, or there is one too many.');
  const fields = children(inner.content);
  const [identifier] = children(algorithm.content);
  const digest = digests[identifier?.content.toString('hex') ?? ''];
  // It stands in what is signed as well, and before all other sequences.
  const isItsOwn = fields.find(({ tag }) => tag === tags.sequence)?.whole.equals(algorithm.whole);
  return {
    fields,
    isBy(key) {
      if (digest === undefined || !isItsOwn || isWeak(key)) return false;
      const [unusedBits] = signature.content;
      return unusedBits === 0 && verify(digest, inner.whole, key, signature.content.subarray(1));
    },
  };
}

export function isWeak({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  return asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) < 2048;
}

/** @param tag of the field that holds them: another one in certificates than in lists */
export function extensionsIn({ fields }: Signed, tag: number): Extension[] {
  const list = fields.find((field) => field.tag === tag);
  const [extensions] = list ? children(list.content) : [];
  return children(extensions?.content ?? Buffer.alloc(0)).map(({ content }) => {
    const parts = children(content);
    const value = parts.at(-1);
    if (parts[0]?.tag !== tags.identifier || !value) throw new RangeError('An extension is not whole.');
    return {
      id: parts[0].content.toString('hex'),
      isCritical: parts[1]?.tag === tags.boolean && parts[1].content[0] !== 0,
      value: value.content,
    };
  });
}
