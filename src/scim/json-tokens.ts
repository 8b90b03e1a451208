/**
 * Reads the tokens of JSON text (RFC 8259) from its bytes, one after the other, without building values.
 * Invariant: `at` is the first byte that has not been read; nothing is read twice.
 */
import { ScimError } from './error.ts';

const byteOf = (character: string): number => character.charCodeAt(0);

export const quote = byteOf('"');
export const comma = byteOf(',');
export const colon = byteOf(':');
export const openObject = byteOf('{');
export const closeObject = byteOf('}');
export const openArray = byteOf('[');
export const closeArray = byteOf(']');

const backslash = byteOf('\\');
const letterU = byteOf('u');
const space = byteOf(' ');
const tab = byteOf('\t');
const lineFeed = byteOf('\n');
const carriageReturn = byteOf('\r');
const minus = byteOf('-');
const plus = byteOf('+');
const point = byteOf('.');
const zero = byteOf('0');
const nine = byteOf('9');
const exponents = new Set(Buffer.from('eE'));
const escaped = new Set(Buffer.from('"\\/bfnrt'));
const literals = new Map(['true', 'false', 'null'].map((word) => [byteOf(word), Buffer.from(word)]));

/** 1 for the bytes that stand for themselves within a string: all but quote, backslash and controls. */
const plain = new Uint8Array(256).map((_, byte) =>
  Number(byte >= space && byte !== quote && byte !== backslash),
);

export class JsonTokens {
  at = 0;
  readonly #bytes: Buffer;
  readonly #most: number;
  readonly #refusesHalfCharacters: boolean;
  #count = 0;

  constructor(bytes: Buffer, most: number, refusesHalfCharacters: boolean) {
    this.#bytes = bytes;
    this.#most = most;
    this.#refusesHalfCharacters = refusesHalfCharacters;
  }

  /** The first byte of the next token, which is then behind us; undefined at the end. */
  next(): number | undefined {
    this.#skipSpace();
    this.#count += 1;
    if (this.#count > this.#most)
      throw new ScimError('too-large', 'The JSON of the body has too many parts.');
    const byte = this.#bytes[this.at];
    this.at += 1;
    return byte;
  }

  /** The first byte of the next token, which stays before us. */
  peek(): number | undefined {
    this.#skipSpace();
    return this.#bytes[this.at];
  }

  fault(): ScimError {
    return new ScimError('invalid-syntax', `The body is not valid JSON near byte ${this.at}.`);
  }

  /** Reads the string whose quote is behind us, up to after its closing quote. */
  readString(): void {
    const bytes = this.#bytes;
    let at = this.at;
    for (;;) {
      while (plain[bytes[at] ?? 0] === 1) at += 1;
      this.at = at + 1;
      if (bytes[at] === quote) return;
      if (bytes[at] !== backslash) throw this.fault();
      this.#readEscape();
      at = this.at;
    }
  }

  /** Reads the number or literal whose first byte is behind us. */
  readScalar(first: number | undefined): void {
    this.at -= 1;
    const literal = first === undefined ? undefined : literals.get(first);
    if (!literal) return this.#readNumber();
    const end = this.at + literal.length;
    if (!this.#bytes.subarray(this.at, end).equals(literal)) throw this.fault();
    this.at = end;
  }

  /** RFC 8259 §6: -? (0 | digits) fraction? exponent? */
  #readNumber(): void {
    this.#readIf(minus);
    if (!this.#readIf(zero)) this.#readDigits();
    if (this.#readIf(point)) this.#readDigits();
    if (!exponents.has(this.#bytes[this.at] ?? 0)) return;
    this.at += 1;
    if (!this.#readIf(plus)) this.#readIf(minus);
    this.#readDigits();
  }

  #readIf(byte: number): boolean {
    const isThere = this.#bytes[this.at] === byte;
    if (isThere) this.at += 1;
    return isThere;
  }

  #readDigits(): void {
    const start = this.at;
    for (let byte = this.#bytes[start] ?? 0; byte >= zero && byte <= nine; byte = this.#bytes[this.at] ?? 0)
      this.at += 1;
    if (this.at === start) throw this.fault();
  }

  #readEscape(): void {
    const byte = this.#bytes[this.at] ?? 0;
    this.at += 1;
    if (byte !== letterU) {
      if (!escaped.has(byte)) throw this.fault();
      return;
    }
    const unit = this.#readHex();
    const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
    if (isSurrogate && this.#refusesHalfCharacters && !this.#readSecondHalf(unit))
      throw new ScimError('invalid-syntax', 'The JSON of the body has half a character.');
  }

  #readSecondHalf(first: number): boolean {
    if (first >= 0xdc00 || !this.#readIf(backslash) || !this.#readIf(letterU)) return false;
    const second = this.#readHex();
    return second >= 0xdc00 && second <= 0xdfff;
  }

  #readHex(): number {
    const digits = this.#bytes.toString('latin1', this.at, this.at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.fault();
    this.at += 4;
    return Number.parseInt(digits, 16);
  }

  #skipSpace(): void {
    // Past the end there is no space to skip either.
    let byte = this.#bytes[this.at] ?? quote;
    while (byte <= space && isSpace(byte)) {
      this.at += 1;
      byte = this.#bytes[this.at] ?? quote;
    }
  }
}

function isSpace(byte: number): boolean {
  return byte === space || byte === lineFeed || byte === carriageReturn || byte === tab;
}
