/**
 * One strict pass over JSON text in its bytes, without building anything: is it JSON, of bounded size, with one
 * meaning for every reader? What passes goes up as the bytes it came in, so numbers are not judged.
 * Invariant: whatever is accepted here, JSON.parse accepts. Nothing recurses, so depth cannot end the process.
 */
import { isUtf8 } from 'node:buffer';

import { ScimError } from './error.ts';
import { MemberNames } from './json-names.ts';

export interface JsonLimits {
  readonly maxDepth: number;
  /** Lexical tokens (RFC 8259 §2): brackets, colons, commas and values; beyond it `too-large`, as it is a size. */
  readonly maxTokens: number;
}

export const defaultJsonLimits: JsonLimits = { maxDepth: 32, maxTokens: 1_000_000 };

/**
 * Told of each string that is the value of an object's member.
 * @param name of the member, in lower case (RFC 7643 §2.1)
 * @param owner name of the member that holds the object, directly or through an array; empty at the top
 * @param depth how many containers are open around the string
 * @param start of the literal in the bytes, its quotes included; `end` is the byte after it
 */
export type VisitString = (name: string, owner: string, depth: number, start: number, end: number) => void;

/** Refuses what two readers could understand differently, and what could harm one of them. */
export function checkJson(bytes: Buffer, limits: JsonLimits = defaultJsonLimits): void {
  new JsonScanner(bytes, limits, true).scan();
}

/** For the JSON of others, which need not obey our rules but the grammar; throws as checkJson does. */
export function visitStrings(bytes: Buffer, visit: VisitString): void {
  new JsonScanner(bytes, { maxDepth: 1000, maxTokens: Infinity }, false, visit).scan();
}

/** Names that change an object's prototype when a careless reader copies them (facts: 3.4). */
const forbiddenNames = new Set(['__proto__', 'constructor', 'prototype']);

const byteOf = (character: string): number => character.charCodeAt(0);
const quote = byteOf('"');
const backslash = byteOf('\\');
const comma = byteOf(',');
const colon = byteOf(':');
const openObject = byteOf('{');
const closeObject = byteOf('}');
const openArray = byteOf('[');
const closeArray = byteOf(']');
const letterU = byteOf('u');
const space = byteOf(' ');
const escaped = new Set(Buffer.from('"\\/bfnrt'));
const literals = new Map(['true', 'false', 'null'].map((word) => [byteOf(word), Buffer.from(word)]));

/** 1 for the bytes that stand for themselves within a string: all but quote, backslash and controls. */
const plain = new Uint8Array(256).map((_, byte) =>
  Number(byte >= 0x20 && byte !== quote && byte !== backslash),
);

/** An open container; one object per depth serves all containers there, one after the other. */
interface Frame {
  isObject: boolean;
  /** Tells containers at the same depth apart. */
  serial: number;
  /** The numbers of names: the member that holds this container, and the one whose value is being read. */
  owner: number;
  name: number;
  /** By the number of a name: the serial of the container here that had it last. */
  seenIn: Int32Array;
}

const noName = -1;
const top: Frame = { isObject: false, serial: 0, owner: noName, name: noName, seenIn: new Int32Array() };

class JsonScanner {
  readonly #bytes: Buffer;
  readonly #limits: JsonLimits;
  readonly #strict: boolean;
  readonly #visit: VisitString | undefined;
  readonly #names: MemberNames;
  readonly #frames: Frame[] = [];
  #frame: Frame = top;
  #depth = 0;
  #serials = 0;
  #tokens = 0;
  #at = 0;

  constructor(bytes: Buffer, limits: JsonLimits, strict: boolean, visit?: VisitString) {
    this.#bytes = bytes;
    this.#limits = limits;
    this.#strict = strict;
    this.#visit = visit;
    this.#names = new MemberNames(bytes);
  }

  scan(): void {
    if (!isUtf8(this.#bytes)) throw new ScimError('invalid-syntax', 'The body is not UTF-8.');
    do while (this.#readValue());
    while (this.#readOn());
  }

  /** Reads a value up to its end, or up to its first inner value; says whether that one is due. */
  #readValue(): boolean {
    const byte = this.#readToken();
    if (byte === quote) this.#readStringValue();
    else if (byte === openObject || byte === openArray) return this.#openContainer(byte === openObject);
    else this.#readScalar(byte);
    return false;
  }

  /** Reads what follows a value; says whether another value is due or the text is at its end. */
  #readOn(): boolean {
    while (this.#depth > 0) {
      const byte = this.#readToken();
      if (byte === comma) {
        if (this.#frame.isObject) this.#readName(this.#readToken());
        return true;
      }
      if (byte !== (this.#frame.isObject ? closeObject : closeArray)) throw this.#fault();
      this.#close();
    }
    this.#skipSpace();
    if (this.#at < this.#bytes.length) throw this.#fault();
    return false;
  }

  #openContainer(isObject: boolean): boolean {
    const { isObject: inObject, name, owner } = this.#frame;
    if (this.#depth >= this.#limits.maxDepth)
      throw new ScimError('invalid-syntax', 'The JSON of the body is nested too deeply.');
    const frame = (this.#frames[this.#depth] ??= { ...top, seenIn: new Int32Array(16) });
    frame.isObject = isObject;
    frame.serial = this.#serials += 1;
    frame.owner = inObject ? name : owner;
    this.#frame = frame;
    this.#depth += 1;
    this.#skipSpace();
    if (this.#bytes[this.#at] === (isObject ? closeObject : closeArray)) {
      this.#readToken();
      this.#close();
      return false;
    }
    if (isObject) this.#readName(this.#readToken());
    return true;
  }

  #close(): void {
    this.#depth -= 1;
    this.#frame = this.#frames[this.#depth - 1] ?? top;
  }

  #readName(byte: number | undefined): void {
    if (byte !== quote) throw this.#fault();
    const start = this.#at;
    this.#readString();
    const name = this.#names.numberOf(start, this.#at - 1);
    if (this.#strict) this.#judgeName(name);
    this.#frame.name = name;
    if (this.#readToken() !== colon) throw this.#fault();
  }

  #judgeName(name: number): void {
    const frame = this.#frame;
    if (name >= frame.seenIn.length) {
      const wider = new Int32Array(2 * name);
      wider.set(frame.seenIn);
      frame.seenIn = wider;
    }
    if (frame.seenIn[name] === frame.serial)
      throw new ScimError('invalid-syntax', 'The JSON of the body has a member name twice in one object.');
    frame.seenIn[name] = frame.serial;
    if (forbiddenNames.has(this.#names.textOf(name)))
      throw new ScimError('invalid-syntax', 'The JSON of the body has a member name that is not allowed.');
  }

  #readStringValue(): void {
    const start = this.#at - 1;
    this.#readString();
    if (!this.#visit || !this.#frame.isObject) return;
    const { name, owner } = this.#frame;
    this.#visit(this.#names.textOf(name), this.#names.textOf(owner), this.#depth, start, this.#at);
  }

  /** Reads to after the closing quote. */
  #readString(): void {
    const bytes = this.#bytes;
    let at = this.#at;
    for (;;) {
      while (plain[bytes[at] ?? 0] === 1) at += 1;
      this.#at = at + 1;
      if (bytes[at] === quote) return;
      if (bytes[at] !== backslash) throw this.#fault();
      this.#readEscape();
      at = this.#at;
    }
  }

  #readEscape(): void {
    const byte = this.#bytes[this.#at];
    this.#at += 1;
    if (byte !== letterU) {
      if (byte === undefined || !escaped.has(byte)) throw this.#fault();
      return;
    }
    const unit = this.#readHex();
    const isSurrogate = unit >= 0xd800 && unit <= 0xdfff;
    if (isSurrogate && this.#strict && !this.#readLowSurrogate(unit))
      throw new ScimError('invalid-syntax', 'The JSON of the body has half a character.');
  }

  #readLowSurrogate(high: number): boolean {
    if (high >= 0xdc00 || this.#bytes[this.#at] !== backslash || this.#bytes[this.#at + 1] !== letterU)
      return false;
    this.#at += 2;
    const low = this.#readHex();
    return low >= 0xdc00 && low <= 0xdfff;
  }

  #readHex(): number {
    const digits = this.#bytes.toString('latin1', this.#at, this.#at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#fault();
    this.#at += 4;
    return Number.parseInt(digits, 16);
  }

  #readScalar(byte: number | undefined): void {
    const literal = byte === undefined ? undefined : literals.get(byte);
    this.#at -= 1;
    if (!literal) return this.#readNumber();
    const end = this.#at + literal.length;
    if (this.#bytes.compare(literal, 0, literal.length, this.#at, Math.min(end, this.#bytes.length)) !== 0)
      throw this.#fault();
    this.#at = end;
  }

  /** RFC 8259 §6: -? (0 | digits) fraction? exponent? */
  #readNumber(): void {
    if (this.#bytes[this.#at] === byteOf('-')) this.#at += 1;
    if (this.#bytes[this.#at] === byteOf('0')) this.#at += 1;
    else this.#readDigits();
    if (this.#bytes[this.#at] === byteOf('.')) {
      this.#at += 1;
      this.#readDigits();
    }
    const exponent = this.#bytes[this.#at];
    if (exponent !== byteOf('e') && exponent !== byteOf('E')) return;
    this.#at += 1;
    const sign = this.#bytes[this.#at];
    if (sign === byteOf('+') || sign === byteOf('-')) this.#at += 1;
    this.#readDigits();
  }

  #readDigits(): void {
    const start = this.#at;
    for (let byte = this.#bytes[start]; byte !== undefined && byte >= 0x30 && byte <= 0x39;) {
      this.#at += 1;
      byte = this.#bytes[this.#at];
    }
    if (this.#at === start) throw this.#fault();
  }

  /** The first byte of the next token, which is then behind us. */
  #readToken(): number | undefined {
    this.#skipSpace();
    this.#tokens += 1;
    if (this.#tokens > this.#limits.maxTokens)
      throw new ScimError('too-large', 'The JSON of the body has too many parts.');
    const byte = this.#bytes[this.#at];
    this.#at += 1;
    return byte;
  }

  #skipSpace(): void {
    let byte = this.#bytes[this.#at];
    while (byte === space || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.#at += 1;
      byte = this.#bytes[this.#at];
    }
  }

  #fault(): ScimError {
    return new ScimError('invalid-syntax', `The body is not valid JSON near byte ${this.#at}.`);
  }
}
