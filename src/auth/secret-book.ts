/**
 * The book of technical users' secrets, as its file says now. A credential that was verified is remembered for
 * minutes under a keyed MAC. Invariant: what is remembered lives and dies with one reading of the file, so a
 * secret that the file no longer has is refused as soon as the new file is read.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { unwatchFile, watchFile } from 'node:fs';
import { open } from 'node:fs/promises';

import { createGate, type Gate } from './gate.ts';
import { changesBetween, type SecretChange } from './secret-changes.ts';
import { endsOf, parseSecrets, type Entries } from './secret-file.ts';
import { hashSecret, isSlow, nameOf, verifyGenerated, verifySecret } from './secret.ts';
import type { Attempt } from './throttle.ts';

export interface SecretBook extends Disposable {
  /**
   * The name of the user's entry that the secret fits; undefined for an unknown user and a wrong secret alike. Rejects
   * only when it cannot tell, or when `attempt` may not be charged. What is remembered is no attempt.
   */
  verify(user: string, secret: string, attempt: Attempt): Promise<string | undefined>;
  /** Whether the user still has the entry of that name. */
  holds(user: string, name: string): boolean;
  /** When the last secret of each user ends. */
  ends(): ReturnType<typeof endsOf>;
  /** Reads the file again; when that fails the old book stays and `onBroken` is told. */
  reload(): Promise<void>;
}

/** What made the book read its file again. */
type Occasion = 'file' | 'signal';

export interface Reloaded {
  readonly changes: readonly SecretChange[];
  readonly actor: { readonly occasion: Occasion; readonly file: string; readonly uid: number };
}

export interface SecretBookOptions {
  /** Told before what was read is in force. */
  readonly onReloaded?: (reloaded: Reloaded) => void;
  readonly onBroken?: (cause: unknown) => void;
  /** The slow comparison; tests count it. */
  readonly compare?: typeof verifySecret;
  /** Milliseconds of a clock that never jumps. */
  readonly now?: () => number;
  /** Milliseconds since 1970. */
  readonly clock?: () => number;
}

const rememberMs = 5 * 60_000;
const watchMs = 250;
/** Half of libuv's four threads: the other half keeps serving the disk, where the audit trail waits. */
const comparisonsAtOnce = 2;
const comparisonsWaiting = 64;

/** Rejects when the file cannot be read or is not valid: nobody could log on. */
export async function openSecretBook(file: string, options: SecretBookOptions = {}): Promise<SecretBook> {
  const {
    onReloaded,
    onBroken,
    compare = verifySecret,
    now = () => performance.now(),
    clock = Date.now,
  } = options;
  const parts: Parts = {
    key: randomBytes(32),
    decoy: await hashSecret(randomBytes(32).toString('base64url')),
    gate: createGate(comparisonsAtOnce, comparisonsWaiting),
    compare,
    now,
    clock,
  };
  let { entries } = await readOwned(file);
  let reading = new Reading(entries, parts);
  let lastReload = Promise.resolve();

  const readAgain = async (occasion: Occasion): Promise<void> => {
    let found: Awaited<ReturnType<typeof readOwned>>;
    try {
      found = await readOwned(file);
    } catch (cause) {
      onBroken?.(cause);
      return;
    }
    const { uid } = found;
    onReloaded?.({ changes: changesBetween(entries, found.entries), actor: { occasion, file, uid } });
    ({ entries } = found);
    reading = new Reading(entries, parts);
  };
  // One after the other, so that an older reading never replaces a newer one.
  const reload = (occasion: Occasion): Promise<void> => {
    const again = (): Promise<void> => readAgain(occasion);
    return (lastReload = lastReload.then(again, again));
  };
  const changed = (): void => void reload('file');
  // Asking for the status also sees what a notification on the name would miss: Kubernetes swaps a link above it.
  watchFile(file, { interval: watchMs, persistent: false }, changed);

  return {
    verify: (...credential) => reading.verify(...credential),
    holds: (user, name) => reading.holds(user, name),
    ends: () => reading.ends(),
    reload: () => reload('signal'),
    [Symbol.dispose]: () => unwatchFile(file, changed),
  };
}

/** With the owner of the very file that was read, whatever stands in its place by now. */
async function readOwned(file: string): Promise<{ readonly entries: Entries; readonly uid: number }> {
  await using handle = await open(file, 'r');
  const { uid } = await handle.stat();
  return { entries: parseSecrets(await handle.readFile('utf8')), uid };
}

interface Parts {
  readonly key: Buffer;
  /** The hash of a secret that nobody knows. */
  readonly decoy: string;
  readonly gate: Gate;
  readonly compare: typeof verifySecret;
  readonly now: () => number;
  readonly clock: () => number;
}

interface Remembered {
  readonly name: string;
  readonly until: number;
}

/** One reading of the file with everything that was verified against it. */
class Reading {
  readonly #entries: Entries;
  readonly #parts: Parts;
  readonly #comparisons: number;
  readonly #remembered = new Map<string, Remembered>();
  readonly #running = new Map<string, Promise<string | undefined>>();

  constructor(entries: Entries, parts: Parts) {
    this.#entries = entries;
    this.#parts = parts;
    this.#comparisons = Math.max(
      0,
      ...entries.keys().map((user) => this.#hashesOf(user).filter(isSlow).length),
    );
  }

  ends(): ReturnType<typeof endsOf> {
    return endsOf(this.#entries);
  }

  holds(user: string, name: string): boolean {
    return this.#hashesOf(user).some((hash) => nameOf(hash) === name);
  }

  async verify(user: string, secret: string, attempt: Attempt): Promise<string | undefined> {
    const mac = createHmac('sha256', this.#parts.key).update(`${user}\0${secret}`).digest('base64');
    const remembered = this.#recall(mac, user);
    if (remembered !== undefined) return remembered;
    // Nobody guesses a generated secret, so whoever has it need not wait for the failures of others.
    const fitting = this.#hashesOf(user).find((hash) => verifyGenerated(hash, secret));
    if (fitting !== undefined) {
      attempt.succeed();
      return this.#remember(mac, fitting);
    }
    // Whoever shows the same credential at the same time shares the comparison, and is no second attempt.
    return this.#running.getOrInsertComputed(mac, async () => {
      try {
        const hash = await this.#tryOnce(user, secret, attempt);
        return hash === undefined ? undefined : this.#remember(mac, hash);
      } finally {
        this.#running.delete(mac);
      }
    });
  }

  async #tryOnce(user: string, secret: string, attempt: Attempt): Promise<string | undefined> {
    await attempt.charge();
    const fitting = await this.#parts
      .gate(() => this.#compareAll(user, secret))
      .catch((error: unknown) => {
        attempt.refund();
        throw error;
      });
    if (fitting === undefined) attempt.fail();
    else {
      attempt.refund();
      attempt.succeed();
    }
    return fitting;
  }

  #remember(mac: string, hash: string): string {
    const name = nameOf(hash);
    this.#remembered.set(mac, { name, until: this.#parts.now() + rememberMs });
    return name;
  }

  #recall(mac: string, user: string): string | undefined {
    const remembered = this.#remembered.get(mac);
    if (remembered && remembered.until > this.#parts.now() && this.holds(user, remembered.name))
      return remembered.name;
    this.#remembered.delete(mac);
    return undefined;
  }

  /** Of the secrets that have not ended. */
  #hashesOf(user: string): string[] {
    const now = this.#parts.clock();
    return (this.#entries.get(user) ?? [])
      .filter(({ notAfter = Infinity }) => now < notAfter)
      .map(({ hash }) => hash);
  }

  /** Every refusal costs the same number of comparisons, whoever is asked for (ASVS 6.3.8). */
  async #compareAll(user: string, secret: string): Promise<string | undefined> {
    const hashes = this.#hashesOf(user).filter(isSlow);
    for (const hash of hashes) if (await this.#parts.compare(hash, secret)) return hash;
    for (let spent = hashes.length; spent < this.#comparisons; spent += 1)
      await this.#parts.compare(this.#parts.decoy, secret);
    return undefined;
  }
}
