/**
 * The private key of the segment that is being written, kept for the case that the process ends without a word:
 * one encrypted file beside the segments. A key is on stable storage before it is used, and goes when its successor is.
 */
import { hkdfSync, randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { decrypt, encrypt, nonceBytes, tagBytes, type Sealing } from '../aes-gcm.ts';
import { privateMode, writeAll, writeFile, type Files } from './files.ts';
import { seedBytes, SigningKey } from './signing-key.ts';

const keyFile = /^signing-(\d{8})\.key$/;

/** Each use has a key of its own, so that what one shows never helps against another. */
export function deriveSecret(secret: Buffer, purpose: 'signing keys' | 'log key'): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `gatehouse audit ${purpose} v1`, seedBytes));
}

export class KeyStore {
  readonly #files: Files;
  readonly #directory: string;
  readonly #secret: Buffer;

  /** @param secret 32 bytes from outside of the directory, so that a copy of it is of no use alone */
  constructor(files: Files, directory: string, secret: Buffer) {
    this.#files = files;
    this.#directory = directory;
    this.#secret = secret;
  }

  /** When this resolves, the key survives a power cut. */
  async keep(segment: number, key: SigningKey): Promise<void> {
    const path = this.#pathOf(segment);
    await this.#files.remove(path);
    await writeFile(this.#files, path, this.#encrypt(segment, key.seed()), privateMode);
    await this.#files.syncDirectory(this.#directory);
  }

  /** Undefined when it is not there, or was encrypted under another secret. */
  async read(segment: number): Promise<SigningKey | undefined> {
    let bytes: Buffer;
    try {
      bytes = await readFile(this.#pathOf(segment));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const seed = this.#decrypt(segment, bytes);
    return seed && SigningKey.from(seed);
  }

  /** Overwrites and removes every other key. What the file system or the device keeps of it is out of our hands. */
  async destroyAllBut(segment: number): Promise<void> {
    for (const name of await readdir(this.#directory)) {
      const [, number] = keyFile.exec(name) ?? [];
      if (number !== undefined && Number(number) !== segment)
        await this.#destroy(join(this.#directory, name));
    }
    await this.#files.syncDirectory(this.#directory);
  }

  async #destroy(path: string): Promise<void> {
    const file = await this.#files.open(path);
    try {
      await writeAll(file, Buffer.alloc(nonceBytes + seedBytes + tagBytes), 0);
      await file.dataSync();
    } finally {
      await file.close();
    }
    await this.#files.remove(path);
  }

  #pathOf(segment: number): string {
    return join(this.#directory, `signing-${String(segment).padStart(8, '0')}.key`);
  }

  #encrypt(segment: number, seed: Buffer): Buffer {
    const nonce = randomBytes(nonceBytes);
    return Buffer.concat([nonce, ...encrypt(this.#sealing(segment, nonce), [seed])]);
  }

  /** Undefined for another secret, or a file that somebody changed. */
  #decrypt(segment: number, bytes: Buffer): Buffer | undefined {
    if (bytes.length !== nonceBytes + seedBytes + tagBytes) return undefined;
    return decrypt(this.#sealing(segment, bytes.subarray(0, nonceBytes)), bytes.subarray(nonceBytes));
  }

  #sealing(segment: number, nonce: Buffer): Sealing {
    return { key: this.#secret, nonce, context: Buffer.from(String(segment)) };
  }
}
