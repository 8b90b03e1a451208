/**
 * Reads DER (X.690 §8.1) as far as certificates and revocation lists go. Invariant: what does not fit together is a
 * RangeError, never a guess.
 */
export interface Element {
  readonly tag: number;
  readonly content: Buffer;
  readonly whole: Buffer;
}

export const tags = { boolean: 0x01, integer: 0x02, identifier: 0x06, sequence: 0x30 } as const;

/** The elements that these bytes are, side by side. */
export function children(bytes: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const first = bytes.readUInt8(at + 1);
    const more = first < 0x80 ? 0 : first & 0x7f;
    const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
    const start = at + 2 + more;
    const end = start + length;
    if (end > bytes.length) throw new RangeError('An element is cut off.');
    found.push({
      tag: bytes.readUInt8(at),
      content: bytes.subarray(start, end),
      whole: bytes.subarray(at, end),
    });
    at = end;
  }
  return found;
}
