/** Names the other replicas' chains in this one, each whenever it has come further. */
import { siblingEvent, siblingsAtWitness, siblingsBeside, type Sibling } from './siblings.ts';
import type { WitnessOptions } from './witness-client.ts';

export interface SiblingWatchOptions {
  /** Of this instance. */
  readonly directory: string;
  /** The origin of its chain. */
  readonly own: string;
  readonly witness: WitnessOptions | undefined;
  readonly name: (event: string, sibling: Sibling) => void;
  readonly onUnknown: (error: unknown) => void;
}

export class SiblingWatch implements Disposable {
  readonly #options: SiblingWatchOptions;
  readonly #ending = new AbortController();
  /** How far each was when it was named last. */
  readonly #named = new Map<string, number>();

  constructor(options: SiblingWatchOptions) {
    this.#options = options;
  }

  /** Where a replica is not known today, a former record of it stands. */
  async look(): Promise<void> {
    const { directory, own, witness, onUnknown } = this.#options;
    const looks = [
      siblingsBeside(directory, own),
      ...(witness ? [siblingsAtWitness(witness, own, this.#ending.signal)] : []),
    ];
    const found = await Promise.allSettled(looks);
    if (this.#ending.signal.aborted) return;
    for (const looked of found) {
      if (looked.status === 'rejected') onUnknown(looked.reason);
      else looked.value.forEach((sibling) => this.#name(sibling));
    }
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
  }

  #name(sibling: Sibling): void {
    if ((this.#named.get(sibling.origin) ?? 0) >= sibling.size) return;
    this.#named.set(sibling.origin, sibling.size);
    this.#options.name(siblingEvent, sibling);
  }
}
