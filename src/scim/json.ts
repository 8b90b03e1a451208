/**
 * One strict pass over JSON text in its bytes, without building anything: is it JSON, of bounded size, with one
 * meaning for every reader? What passes goes up as the bytes it came in, so numbers are not judged.
 * Invariant: whatever is accepted here, JSON.parse accepts. Nothing recurses, so depth cannot end the process.
 */
import { isUtf8 } from 'node:buffer';

import { ScimError } from './error.ts';
import { MemberNames } from './json-names.ts';
import {
  closeArray,
  closeObject,
  colon,
  comma,
  JsonTokens,
  openArray,
  openObject,
  quote,
} from './json-tokens.ts';

export interface JsonLimits {
  readonly maxDepth: number;
  /** Lexical tokens (RFC 8259 §2): brackets, colons, commas and values; beyond it `too-large`, as it is a size. */
  readonly maxTokens: number;
}

const defaultJsonLimits: JsonLimits = { maxDepth: 32, maxTokens: 1_000_000 };

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

/** Whether the JSON of others is one object, told without building it. */
export function isJsonObject(bytes: Buffer): boolean {
  if (!/^[ \t\r\n]*\{/.test(bytes.toString('latin1', 0, 64))) return false;
  try {
    visitStrings(bytes, () => {});
    return true;
  } catch (error) {
    if (error instanceof ScimError) return false;
    throw error;
  }
}

/** Names that change an object's prototype when a careless reader copies them (facts: 3.4). */
const forbiddenNames = new Set(['__proto__', 'constructor', 'prototype']);

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

const top: Frame = { isObject: false, serial: 0, owner: -1, name: -1, seenIn: new Int32Array() };

class JsonScanner {
  readonly #bytes: Buffer;
  readonly #maxDepth: number;
  readonly #isStrict: boolean;
  readonly #visit: VisitString | undefined;
  readonly #tokens: JsonTokens;
  readonly #names: MemberNames;
  readonly #frames: Frame[] = [];
  #frame: Frame = top;
  #depth = 0;
  #serials = 0;
  /** How many names have been held against the forbidden ones. */
  #judged = 0;

  constructor(bytes: Buffer, { maxDepth, maxTokens }: JsonLimits, isStrict: boolean, visit?: VisitString) {
    this.#bytes = bytes;
    this.#maxDepth = maxDepth;
    this.#isStrict = isStrict;
    this.#visit = visit;
    this.#tokens = new JsonTokens(bytes, maxTokens, isStrict);
    this.#names = new MemberNames(bytes);
  }

  scan(): void {
    if (!isUtf8(this.#bytes)) throw new ScimError('invalid-syntax', 'The body is not UTF-8.');
    do while (this.#readValue());
    while (this.#readOn());
    if (this.#tokens.peek() !== undefined) throw this.#tokens.fault();
  }

  /** Reads a value up to its end, or up to its first inner value; says whether that one is due. */
  #readValue(): boolean {
    const byte = this.#tokens.next();
    if (byte === openObject || byte === openArray) return this.#openContainer(byte === openObject);
    if (byte === quote) this.#readStringValue();
    else this.#tokens.readScalar(byte);
    return false;
  }

  /** Reads what follows a value, up to the next one; says whether there is one. */
  #readOn(): boolean {
    while (this.#depth > 0) {
      const byte = this.#tokens.next();
      if (byte === comma) {
        if (this.#frame.isObject) this.#readName();
        return true;
      }
      if (byte !== (this.#frame.isObject ? closeObject : closeArray)) throw this.#tokens.fault();
      this.#closeContainer();
    }
    return false;
  }

  #openContainer(isObject: boolean): boolean {
    const around = this.#frame;
    if (this.#depth >= this.#maxDepth)
      throw new ScimError('invalid-syntax', 'The JSON of the body is nested too deeply.');
    const frame = (this.#frames[this.#depth] ??= { ...top, seenIn: new Int32Array(16) });
    frame.isObject = isObject;
    frame.serial = this.#serials += 1;
    frame.owner = around.isObject ? around.name : around.owner;
    this.#frame = frame;
    this.#depth += 1;
    if (this.#tokens.peek() === (isObject ? closeObject : closeArray)) return false; // readOn closes it
    if (isObject) this.#readName();
    return true;
  }

  #closeContainer(): void {
    this.#depth -= 1;
    this.#frame = this.#frames[this.#depth - 1] ?? top;
  }

  #readName(): void {
    if (this.#tokens.next() !== quote) throw this.#tokens.fault();
    const start = this.#tokens.at;
    this.#tokens.readString();
    const name = this.#names.numberOf(start, this.#tokens.at - 1);
    if (this.#isStrict) this.#judgeName(name);
    this.#frame.name = name;
    if (this.#tokens.next() !== colon) throw this.#tokens.fault();
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
    if (name < this.#judged) return;
    this.#judged = name + 1; // numbers are given in order, so each name comes by here once
    if (forbiddenNames.has(this.#names.textOf(name)))
      throw new ScimError('invalid-syntax', 'The JSON of the body has a member name that is not allowed.');
  }

  #readStringValue(): void {
    const start = this.#tokens.at - 1;
    this.#tokens.readString();
    if (!this.#visit || !this.#frame.isObject) return;
    const { name, owner } = this.#frame;
    this.#visit(this.#names.textOf(name), this.#names.textOf(owner), this.#depth, start, this.#tokens.at);
  }
}
