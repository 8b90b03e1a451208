/**
 * Signed notes and checkpoints as C2SP specifies them (signed-note, tlog-checkpoint, tlog-cosignature), so that other
 * people's tools read ours. A note's text means nothing before a signature of a known key over it was verified.
 */
import { hash } from 'node:crypto';

import type { Digest } from './chain.ts';
import { isSignature, type PublicKey, type SigningKey } from './signing-key.ts';

/** Signature types of C2SP signed-note. */
export const plainType = 0x01 as const;
export const cosignatureType = 0x04 as const;
type SignatureType = typeof plainType | typeof cosignatureType;

/** Larger than any note with sixteen signatures; more is not read. */
export const maxNoteBytes = 16 * 1024;

export interface NoteKey {
  readonly name: string;
  readonly type: SignatureType;
  readonly publicKey: PublicKey;
}

export interface NoteSignature {
  readonly name: string;
  /** Four bytes in hexadecimal. */
  readonly keyId: string;
  readonly bytes: Buffer;
}

export interface Checkpoint {
  readonly origin: string;
  readonly size: number;
  readonly root: Digest;
  /** The signed bytes: three lines, each with its newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

export function originOf(chain: string): string {
  return `gatehouse/audit/${chain}`;
}

/** The name of the key that signed the first header of a chain. It signs no notes. */
export function rootNameOf(chain: string): string {
  return `${originOf(chain)}/root`;
}

export function keyIdOf({ name, type, publicKey }: NoteKey): string {
  const key = Buffer.from(publicKey, 'base64');
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), key])).slice(0, 8);
}

/** A public key as one word: `<name>+<key id>+<base64>`. */
export function encodeKey(key: NoteKey): string {
  const material = Buffer.concat([Buffer.of(key.type), Buffer.from(key.publicKey, 'base64')]);
  return `${key.name}+${keyIdOf(key)}+${material.toString('base64')}`;
}

export function parseKey(word: string): NoteKey | undefined {
  const [, name = '', keyId, encoded = ''] = /^([^\s+]+)\+([0-9a-f]{8})\+([\w+/]{44})$/.exec(word) ?? [];
  const material = Buffer.from(encoded, 'base64');
  const type = [plainType, cosignatureType].find((known) => known === material[0]);
  if (material.length !== 33 || type === undefined) return undefined;
  const key: NoteKey = { name, type, publicKey: material.subarray(1).toString('base64') };
  return keyIdOf(key) === keyId ? key : undefined;
}

export function checkpointText(origin: string, size: number, root: Digest): string {
  return `${origin}\n${size}\n${Buffer.from(root, 'hex').toString('base64')}\n`;
}

/** One signature line with its newline. */
export function signNote(text: string, name: string, key: SigningKey): string {
  const keyId = keyIdOf({ name, type: plainType, publicKey: key.publicKey });
  return signatureLine(name, keyId, Buffer.from(key.sign(text), 'base64'));
}

/** @param seconds since 1970: when the cosigner saw that the checkpoint is consistent */
export function cosignNote(text: string, name: string, key: SigningKey, seconds: number): string {
  const keyId = keyIdOf({ name, type: cosignatureType, publicKey: key.publicKey });
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(BigInt(seconds));
  const signature = Buffer.from(key.sign(cosigned(text, seconds)), 'base64');
  return signatureLine(name, keyId, Buffer.concat([time, signature]));
}

function cosigned(text: string, seconds: number | bigint): string {
  return `cosignature/v1\ntime ${seconds}\n${text}`;
}

function signatureLine(name: string, keyId: string, signature: Buffer): string {
  return `— ${name} ${Buffer.concat([Buffer.from(keyId, 'hex'), signature]).toString('base64')}\n`;
}

/** Undefined when it is no checkpoint. Its signatures are not verified yet. */
export function parseCheckpoint(note: string): Checkpoint | undefined {
  if (note.length > maxNoteBytes) return undefined;
  const [, text = '', origin = '', size = '', encoded = '', lines = ''] =
    /^((\S+)\n(0|[1-9]\d{0,15})\n([\w+/]{43}=)\n)\n((?:— \S+ [\w+/]+=*\n)+)$/.exec(note) ?? [];
  if (!text) return undefined;
  const root = Buffer.from(encoded, 'base64').toString('hex');
  return { origin, size: Number(size), root, text, signatures: parseSignatures(lines) };
}

export function parseSignatures(lines: string): NoteSignature[] {
  return [...lines.matchAll(/^— (\S+) ([\w+/]+=*)$/gm)].map(([, name = '', encoded = '']) => {
    const bytes = Buffer.from(encoded, 'base64');
    return { name, keyId: bytes.toString('hex', 0, 4), bytes: bytes.subarray(4) };
  });
}

/** The key's own signature among those of the note, if it is there and right. For a cosignature also its time. */
export function verifyNote(
  { text, signatures }: Pick<Checkpoint, 'text' | 'signatures'>,
  key: NoteKey,
): { readonly seconds?: number } | undefined {
  const keyId = keyIdOf(key);
  const own = signatures.filter(({ name, keyId: id }) => name === key.name && id === keyId);
  for (const { bytes } of own) {
    if (key.type === plainType) {
      if (isSignature(key.publicKey, Buffer.from(text), bytes.toString('base64'))) return {};
    } else if (bytes.length === 72) {
      const seconds = bytes.readBigUInt64BE(0);
      const signature = bytes.toString('base64', 8);
      if (isSignature(key.publicKey, Buffer.from(cosigned(text, seconds)), signature))
        return { seconds: Number(seconds) };
    }
  }
  return undefined;
}
