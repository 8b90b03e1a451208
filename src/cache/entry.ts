/**
 * A cached reply as bytes: `version(1) ‖ MAC(32) ‖ length(4) ‖ description as JSON ‖ body`.
 * The MAC covers the entry's own name, so a value that was changed, or copied to another name, is unreadable.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

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

const version = 1;
const macAt = 1;
const contentAt = macAt + 32;

export function encodeEntry(key: string, { reply, askedAt, tokens }: Entry, secret: Buffer): Buffer {
  const description: Description = { status: reply.status, headers: reply.headers, askedAt, tokens };
  const content = [lengthPrefixed([JSON.stringify(description)]), reply.body];
  return Buffer.concat([Buffer.of(version), macOf(key, content, secret), ...content]);
}

/** `undefined` when the bytes are not exactly what `encodeEntry` made for this key. */
export function decodeEntry(key: string, bytes: Buffer, secret: Buffer): Entry | undefined {
  const content = bytes.subarray(contentAt);
  if (bytes[0] !== version || bytes.length < contentAt + 4) return undefined;
  if (!timingSafeEqual(bytes.subarray(macAt, contentAt), macOf(key, [content], secret))) return undefined;
  const bodyAt = 4 + content.readUInt32BE(0);
  // Authentic bytes were written by this version of this file, so their shape is known.
  const description: Description = JSON.parse(content.toString('utf8', 4, bodyAt));
  const { status, headers, askedAt, tokens } = description;
  return { reply: { status, headers, body: content.subarray(bodyAt) }, askedAt, tokens };
}

function macOf(key: string, content: readonly Buffer[], secret: Buffer): Buffer {
  const mac = createHmac('sha256', secret).update(lengthPrefixed([Buffer.of(version), key]));
  for (const part of content) mac.update(part);
  return mac.digest();
}
