/**
 * One line of the trail as bytes: a prefix of fixed form, the record's own members, and a CRC-32 at the end.
 * The prefix never changes its order, so that a verifier reads it without parsing JSON.
 */
import { crc32 } from 'node:zlib';

import type { Digest } from './chain.ts';
import { isSignature, type SigningKey } from './signing-key.ts';

export const formatVersion = 1;
/** Longer lines do not exist; a reader may refuse them and needs no more memory than this. */
export const maxLineBytes = 4 * 1024 * 1024;

/** A record before it has a place in the chain. */
export interface Draft {
  /** When it happened: ISO 8601 in UTC with milliseconds. */
  readonly ts: string;
  /** Milliseconds since the process started; it orders what a stepped clock does not. */
  readonly mono: number;
  readonly event: string;
  /** The record's own members, serialised: `{…}`. */
  readonly body: string;
}

export function draft(event: string, members: object): Draft {
  const ts = new Date().toISOString();
  return { ts, mono: Math.round(performance.now() * 1000) / 1000, event, body: JSON.stringify(members) };
}

/** The line with its newline. What a key signs is the text before `sig`. */
export function encodeLine(
  seq: number,
  prev: Digest,
  { ts, mono, event, body }: Draft,
  key?: SigningKey,
): Buffer {
  const members = body === '{}' ? '' : `,${body.slice(1, -1)}`;
  const told = `{"v":${formatVersion},"seq":${seq},"prev":"${prev}","ts":"${ts}","mono":${mono},"event":"${event}"${members}`;
  const text = key ? `${told},"sig":"${key.sign(told)}"` : told;
  return Buffer.from(`${text},"crc":"${hex32(crc32(text))}"}\n`);
}

function hex32(value: number): string {
  return value.toString(16).padStart(8, '0');
}

export interface LinePrefix {
  readonly seq: number;
  readonly prev: string;
  readonly ts: string;
  readonly event: string;
}

const prefix =
  /^\{"v":1,"seq":([1-9]\d{0,15}),"prev":"([0-9a-f]{64})","ts":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)","mono":\d+(?:\.\d+)?,"event":"([a-z0-9_.]+)"/;
const longestPrefix = 256;
/** `,"crc":"xxxxxxxx"}` */
const trailerBytes = 18;
/** `,"sig":"…"` with the 88 characters of an Ed25519 signature in base64. */
const sigBytes = 97;

/** What a line (without newline) says of its place, or undefined when its bytes are not those that were written. */
export function readLine(line: Buffer): LinePrefix | undefined {
  if (!isIntact(line)) return undefined;
  const found = prefix.exec(line.toString('latin1', 0, longestPrefix));
  const [, seq, prev, ts, event] = found ?? [];
  if (!seq || !prev || !ts || !event) return undefined;
  return { seq: Number(seq), prev, ts, event };
}

export function isIntact(line: Buffer): boolean {
  const end = line.length - trailerBytes;
  if (end <= 0) return false;
  const trailer = line.toString('latin1', end);
  return trailer === `,"crc":"${hex32(crc32(line.subarray(0, end)))}"}`;
}

/** Whether the line ends with a signature of this key over what stands before it. */
export function isSignedBy(publicKey: string, line: Buffer): boolean {
  const end = line.length - trailerBytes - sigBytes;
  if (end <= 0) return false;
  const [, signature] = /^,"sig":"([\w+/=]{88})"$/.exec(line.toString('latin1', end, end + sigBytes)) ?? [];
  return signature !== undefined && isSignature(publicKey, line.subarray(0, end), signature);
}
