/**
 * A cached reply as bytes: `length(4) ‖ description as JSON ‖ body`. Nothing here is checked: a store outside the process
 * gets and gives these bytes sealed (seal.ts).
 */
import type { Headers, Reply } from '../scim/call.ts';
import { lengthPrefixed } from './key.ts';

export interface Entry {
  readonly reply: Reply;
  /** When the tenant was asked, in wall-clock ms: the reply says nothing about any later instant. */
  readonly askedAt: number;
  /** The tokens of the entry's generations that were current before the tenant was asked. */
  readonly tokens: readonly string[];
}

interface Description {
  readonly status: number;
  readonly headers: Headers;
  readonly askedAt: number;
  readonly tokens: readonly string[];
}

/** The parts, unjoined: a body is copied once, by whoever joins them. */
export function encodeEntry({ reply, askedAt, tokens }: Entry): Buffer[] {
  const description: Description = { status: reply.status, headers: reply.headers, askedAt, tokens };
  return [lengthPrefixed([JSON.stringify(description)]), reply.body];
}

export function decodeEntry(bytes: Buffer): Entry {
  const bodyAt = 4 + bytes.readUInt32BE(0);
  const { status, headers, askedAt, tokens }: Description = JSON.parse(bytes.toString('utf8', 4, bodyAt));
  return { reply: { status, headers, body: bytes.subarray(bodyAt) }, askedAt, tokens };
}
