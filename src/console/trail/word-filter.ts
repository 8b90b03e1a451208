/**
 * Whether a segment may contain a word: a Bloom filter over pseudonyms, request ids and addresses, so that whoever looks
 * for one person need not read a whole trail. A `false` is certain, a `true` is not.
 */
import { crc32 } from 'node:zlib';

const probes = 4;
/** A record of some 700 bytes has about four words; ten bits for each make one error in a hundred. */
const bytesPerBit = 16;
const leastBits = 1024;
const otherSeed = 0x9e3779b9;

export class WordFilter {
  readonly bits: Uint8Array;

  constructor(bits: Uint8Array) {
    this.bits = bits;
  }

  /** @param bytes of the segment */
  static for(bytes: number): WordFilter {
    const wanted = Math.max(leastBits, Math.ceil(bytes / bytesPerBit));
    return new WordFilter(new Uint8Array(2 ** Math.ceil(Math.log2(wanted)) / 8));
  }

  add(word: string): void {
    for (const bit of this.#placesOf(word)) this.bits[bit >>> 3] = this.#byteOf(bit) | (1 << (bit & 7));
  }

  mayHave(word: string): boolean {
    return this.#placesOf(word).every((bit) => (this.#byteOf(bit) & (1 << (bit & 7))) !== 0);
  }

  #byteOf(bit: number): number {
    return this.bits[bit >>> 3] ?? 0;
  }

  #placesOf(word: string): number[] {
    const mask = 8 * this.bits.length - 1;
    const first = crc32(word);
    // Odd, so that no two probes of a word fall together.
    const step = crc32(word, otherSeed) | 1;
    return Array.from({ length: probes }, (_, at) => ((first + at * step) & mask) >>> 0);
  }
}
