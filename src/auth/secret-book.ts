/**
 * The book of technical users' secrets, as its file says now. A credential that was verified is remembered for
 * minutes under a keyed MAC. Invariant: what is remembered lives and dies with one reading of the file, so a
 * secret that the file no longer has is refused as soon as the new file is read.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { unwatchFile, watchFile } from 'node:fs';

import { createGate, type Gate } from './gate.ts';
import { readSecrets, type Entries } from './secret-file.ts';
import { hashSecret, isSlow, verifyGenerated, verifySecret } from './secret.ts';
import type { Attempt } from './throttle.ts';

export interface SecretBook extends Disposable {
  /**
   * False for an unknown user and a wrong secret alike; rejects only when it cannot tell, or when `attempt` may not be
   * charged. What is remembered is no attempt.
   */
  verify(user: string, secret: string, attempt: Attempt): Promise<boolean>;
  /** Reads the file again; when that fails the old book stays and `onBroken` is told. */
  reload(): Promise<void>;
}

export interface SecretBookOptions {
  readonly onReloaded?: () => void;
  readonly onBroken?: (cause: unknown) => void;
  /** The slow comparison; tests count it. */
  readonly compare?: typeof verifySecret;
  /** Milliseconds of a clock that never jumps. */
  readonly now?: () => number;
}

const rememberMs = 5 * 60_000;
const watchMs = 250;
/** Half of libuv's four threads: the other half keeps serving the disk, where the audit trail waits. */
const comparisonsAtOnce = 2;
const comparisonsWaiting = 64;

/** Rejects when the file cannot be read or is not valid: nobody could log on. */
export async function openSecretBook(file: string, options: SecretBookOptions = {}): Promise<SecretBook> {
  const { onReloaded, onBroken, compare = verifySecret, now = () => performance.now() } = options;
  const parts: Parts = {
    key: randomBytes(32),
    decoy: await hashSecret(randomBytes(32).toString('base64url')),
    gate: createGate(comparisonsAtOnce, comparisonsWaiting),
    compare,
    now,
  };
  let reading = new Reading(await readSecrets(file), parts);
  let lastReload = Promise.resolve();

  const readAgain = async (): Promise<void> => {
    try {
      reading = new Reading(await readSecrets(file), parts);
    } catch (cause) {
      onBroken?.(cause);
      return;
    }
    onReloaded?.();
  };
  // One after the other, so that an older reading never replaces a newer one.
  const reload = (): Promise<void> => (lastReload = lastReload.then(readAgain, readAgain));
  const changed = (): void => void reload();
  // Asking for the status also sees what a notification on the name would miss: Kubernetes swaps a link above it.
  watchFile(file, { interval: watchMs, persistent: false }, changed);

  return {
    verify: (...credential) => reading.verify(...credential),
    reload,
    [Symbol.dispose]: () => unwatchFile(file, changed),
  };
}

interface Parts {
  readonly key: Buffer;
  /** The hash of a secret that nobody knows. */
  readonly decoy: string;
  readonly gate: Gate;
  readonly compare: typeof verifySecret;
  readonly now: () => number;
}

/** One reading of the file with everything that was verified against it. */
class Reading {
  readonly #entries: Entries;
  readonly #parts: Parts;
  readonly #comparisons: number;
  readonly #rememberedUntil = new Map<string, number>();
  readonly #running = new Map<string, Promise<boolean>>();

  constructor(entries: Entries, parts: Parts) {
    this.#entries = entries;
    this.#parts = parts;
    this.#comparisons = Math.max(0, ...entries.keys().map((user) => this.#slowHashes(user).length));
  }

  async verify(user: string, secret: string, attempt: Attempt): Promise<boolean> {
    const mac = createHmac('sha256', this.#parts.key).update(`${user}\0${secret}`).digest('base64');
    if (this.#isRemembered(mac)) return true;
    // Nobody guesses a generated secret, so whoever has it need not wait for the failures of others.
    if (this.#hasGenerated(user, secret)) {
      attempt.succeed();
      this.#remember(mac);
      return true;
    }
    // Whoever shows the same credential at the same time shares the comparison, and is no second attempt.
    return this.#running.getOrInsertComputed(mac, async () => {
      try {
        const verified = await this.#tryOnce(user, secret, attempt);
        if (verified) this.#remember(mac);
        return verified;
      } finally {
        this.#running.delete(mac);
      }
    });
  }

  async #tryOnce(user: string, secret: string, attempt: Attempt): Promise<boolean> {
    attempt.charge();
    const verified = await this.#parts
      .gate(() => this.#compareAll(user, secret))
      .catch((error: unknown) => {
        attempt.refund();
        throw error;
      });
    if (verified) {
      attempt.refund();
      attempt.succeed();
    } else attempt.fail();
    return verified;
  }

  #remember(mac: string): void {
    this.#rememberedUntil.set(mac, this.#parts.now() + rememberMs);
  }

  #isRemembered(mac: string): boolean {
    const until = this.#rememberedUntil.get(mac);
    if (until === undefined) return false;
    if (until > this.#parts.now()) return true;
    this.#rememberedUntil.delete(mac);
    return false;
  }

  #hasGenerated(user: string, secret: string): boolean {
    return (this.#entries.get(user) ?? []).some(({ hash }) => verifyGenerated(hash, secret));
  }

  #slowHashes(user: string): string[] {
    return (this.#entries.get(user) ?? []).map(({ hash }) => hash).filter(isSlow);
  }

  /** Every refusal costs the same number of comparisons, whoever is asked for (ASVS 6.3.8). */
  async #compareAll(user: string, secret: string): Promise<boolean> {
    const hashes = this.#slowHashes(user);
    for (const hash of hashes) if (await this.#parts.compare(hash, secret)) return true;
    for (let spent = hashes.length; spent < this.#comparisons; spent += 1)
      await this.#parts.compare(this.#parts.decoy, secret);
    return false;
  }
}
