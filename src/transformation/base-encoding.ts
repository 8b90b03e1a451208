/** RFC 4648 base32 and base64, with or without padding; decoding takes either and, in base32, small letters. */

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

export type Algorithm = 'base32' | 'base64';

export function encode(bytes: Uint8Array, algorithm: Algorithm, padded: boolean): string {
  const text = algorithm === 'base64' ? bytes.toBase64() : encode32(bytes);
  return padded ? text : text.replace(/=+$/, '');
}

/** Undefined when the text is not of that alphabet. */
export function decode(text: string, algorithm: Algorithm): Uint8Array | undefined {
  const bare = text.replace(/=+$/, '');
  if (algorithm === 'base32') return decode32(bare.toUpperCase());
  return /^[A-Za-z0-9+/]*$/.test(bare) && bare.length % 4 !== 1 ? Uint8Array.fromBase64(bare) : undefined;
}

function encode32(bytes: Uint8Array): string {
  let text = '';
  let [buffer, bits] = [0, 0];
  for (const byte of bytes) {
    buffer = (buffer << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += base32.charAt((buffer >> (bits - 5)) & 31);
    buffer &= 0xff;
  }
  if (bits > 0) text += base32.charAt((buffer << (5 - bits)) & 31);
  return text.padEnd(Math.ceil(text.length / 8) * 8, '=');
}

function decode32(text: string): Uint8Array | undefined {
  const bytes: number[] = [];
  let [buffer, bits] = [0, 0];
  for (const sign of text) {
    const five = base32.indexOf(sign);
    if (five === -1) return undefined;
    buffer = ((buffer << 5) | five) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((buffer >> bits) & 0xff);
    }
  }
  return Uint8Array.from(bytes);
}
