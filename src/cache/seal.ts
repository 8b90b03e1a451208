/**
 * Values as bytes that leave the process: sealed, and bound to the whole name they are kept under. What was changed, or
 * comes from another name, system, tenant or caller, does not open.
 */
import { hkdfSync, randomBytes } from 'node:crypto';

import { decrypt, encrypt, nonceBytes, tagBytes, type Sealing } from '../aes-gcm.ts';
import { lengthPrefixed, spaceOf, type EntryName } from './key.ts';

export interface Seal {
  close(name: EntryName, plain: readonly Buffer[]): Buffer;
  /** `undefined` when the bytes are not exactly what `close` made for this name with one of our keys. */
  open(name: EntryName, sealed: Buffer): Buffer | undefined;
}

interface Master {
  readonly id: Buffer;
  readonly key: Buffer;
}

/** `version(1) ‖ master(4) ‖ day(4) ‖ nonce(12) ‖ ciphertext ‖ tag(16)`; what comes before the nonce is authentic too. */
const version = 2;
const nonceAt = 9;
const ciphertextAt = nonceAt + nonceBytes;
const dayMs = 86_400_000;
/** Systems × days × masters in use at a time; more of them only cost a derivation. */
const maxDailyKeys = 512;

/**
 * One key a day for each system. Nonces are random, because replicas share no counter: 96 bits are safe for 2^32 values of a
 * key (NIST SP 800-38D §8.3), and 150 calls a minute make 2^18 of them a day.
 */
export class Sealer implements Seal {
  readonly #now: () => number;
  readonly #dailyKeys = new Map<string, Buffer>();
  #masters: readonly [Master, ...Master[]];

  /** @param masters secrets of at least 32 bytes: the first one seals, all of them open */
  constructor(masters: readonly Buffer[], now: () => number = Date.now) {
    this.#now = now;
    this.#masters = mastersOf(masters);
  }

  /** From now on these. What only others opened is unreadable. */
  adopt(masters: readonly Buffer[]): void {
    this.#masters = mastersOf(masters);
    this.#dailyKeys.clear();
  }

  close(name: EntryName, plain: readonly Buffer[]): Buffer {
    const [master] = this.#masters;
    const head = Buffer.alloc(nonceAt);
    head.writeUInt8(version);
    master.id.copy(head, 1);
    head.writeUInt32BE(Math.floor(this.#now() / dayMs), 5);
    const nonce = randomBytes(nonceBytes);
    return Buffer.concat([head, nonce, ...encrypt(this.#sealing(master, head, nonce, name), plain)]);
  }

  open(name: EntryName, sealed: Buffer): Buffer | undefined {
    if (sealed.length < ciphertextAt + tagBytes || sealed[0] !== version) return undefined;
    const head = sealed.subarray(0, nonceAt);
    const master = this.#masters.find(({ id }) => id.equals(head.subarray(1, 5)));
    if (!master) return undefined;
    const sealing = this.#sealing(master, head, sealed.subarray(nonceAt, ciphertextAt), name);
    return decrypt(sealing, sealed.subarray(ciphertextAt));
  }

  #sealing(master: Master, head: Buffer, nonce: Buffer, name: EntryName): Sealing {
    const key = this.#dailyKey(master, head.readUInt32BE(5), name);
    return { key, nonce, context: contextOf(head, name) };
  }

  #dailyKey(master: Master, day: number, { key }: EntryName): Buffer {
    const space = spaceOf(key);
    const name = `${master.id.toString('hex')} ${day} ${space}`;
    if (this.#dailyKeys.size >= maxDailyKeys) this.#dailyKeys.clear();
    return this.#dailyKeys.getOrInsertComputed(name, () =>
      derive(master.key, lengthPrefixed([String(day), space]), 'entries'),
    );
  }
}

function mastersOf(keys: readonly Buffer[]): [Master, ...Master[]] {
  const [newest, ...older] = keys.map((key) => ({ id: derive(key, '', 'key id').subarray(0, 4), key }));
  if (!newest) throw new TypeError('There is no key to seal with.');
  return [newest, ...older];
}

function derive(key: Buffer, salt: string | Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, `gatehouse cache ${purpose}`, 32));
}

/** The whole name before it was hashed; tag, times and tokens are inside, where they are authentic anyway. */
function contextOf(head: Buffer, { key, meaning }: EntryName): Buffer {
  return lengthPrefixed([head, key, meaning]);
}
