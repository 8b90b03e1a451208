/**
 * What is known of a write that went up, for whoever repeats it. A record without a reply says that it was begun and that
 * nobody knows how it ended.
 */
import type { Headers, Reply } from '../scim/call.ts';
import { isAttributes } from './agreement.ts';
import type { Sent } from './look.ts';

export interface WriteRecord extends Sent {
  /** Of the attempt that it tells of; what the attempt wrote is marked with it. */
  readonly run: string;
  readonly fingerprint: string;
  /** Whether it may have gone up before this was written down; as the last word of an attempt `false` says: nothing was done. */
  readonly isSent: boolean;
  /** Whether its marks are where all replicas see them. */
  readonly isShared: boolean;
  /** How long it counts. A look that finds nothing new does not prolong it, or what never arrived could never be sent. */
  readonly until: number;
  readonly resources: readonly string[];
  /** When the attempt ended, in wall-clock milliseconds, where that is told later than it was. */
  readonly endedAt?: number;
  readonly reply?: Reply;
}

/** A larger answer is not kept: a repeat looks for it again. */
const maxBodyBytes = 256 * 1024;

/** As much of it as may be kept. */
export function bounded(record: WriteRecord): WriteRecord {
  const { reply, ...rest } = record;
  return reply && reply.body.length <= maxBodyBytes ? record : rest;
}

/** `length(4) ‖ head as JSON ‖ body of the reply`. */
export function encodeRecord({ reply, ...rest }: WriteRecord): Buffer {
  const head = { ...rest, ...(reply && { status: reply.status, headers: reply.headers }) };
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(text.length);
  return Buffer.concat([length, text, ...(reply ? [reply.body] : [])]);
}

/** Of bytes that the seal has vouched for, so their shape is what {@link encodeRecord} wrote. */
export function decodeRecord(bytes: Buffer): WriteRecord {
  const bodyAt = 4 + bytes.readUInt32BE(0);
  const head: unknown = JSON.parse(bytes.toString('utf8', 4, bodyAt));
  if (!isAttributes(head)) throw new TypeError('A sealed record is no object.');
  const { status, headers, ...rest } = head;
  const record = rest as unknown as WriteRecord;
  if (typeof status !== 'number') return record;
  return { ...record, reply: { status, headers: headers as Headers, body: bytes.subarray(bodyAt) } };
}
