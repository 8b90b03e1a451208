/**
 * Which file the trail is written to now: opens segment after segment, each naming its predecessor's end and signed by
 * its key. A segment whose file cannot be trusted any more is left as it is, and its successor says how much counts.
 */
import { join } from 'node:path';

import type { Checkpoints } from './checkpoints.ts';
import type { Files } from './files.ts';
import type { KeyStore } from './key-store.ts';
import type { Owner } from './owner.ts';
import type { Beginning } from './recover.ts';
import { codeOf } from './report.ts';
import { fileOf } from './segment-name.ts';
import type { CloseReason, Predecessor } from './segment-shape.ts';
import { Segment, type HeaderFacts } from './segment.ts';
import { SigningKey } from './signing-key.ts';

export interface RotationLimits {
  readonly segmentBytes: number;
  readonly segmentAgeMs: number;
}

/** Where segments are written, and what belongs beside them. */
export interface Place {
  readonly files: Files;
  readonly directory: string;
  readonly owner: Owner;
  readonly keys: KeyStore;
  readonly checkpoints: Checkpoints;
}

export class Succession {
  readonly #place: Place;
  readonly #limits: RotationLimits;
  readonly #onKeyLeft: (error: unknown) => void;
  #segment: Segment | undefined;
  #next: Omit<Beginning, 'open' | 'remarks'>;
  /** A file whose creation failed half-way; it must go before its name is used again. */
  #unborn: string | undefined;
  /** The file of a segment that got no footer; nothing is written to it any more once its successor says how much counts. */
  #abandoned: string | undefined;

  /** @param onKeyLeft told when the key of a closed segment could not be destroyed; the next opening tries again */
  constructor(
    place: Place,
    limits: RotationLimits,
    beginning: Beginning,
    onKeyLeft: (error: unknown) => void,
  ) {
    this.#place = place;
    this.#limits = limits;
    this.#next = beginning;
    this.#onKeyLeft = onKeyLeft;
  }

  /** The segment to write to; a new one when there is none or when it is full or old. */
  async current(facts: () => Omit<HeaderFacts, 'previous'>): Promise<Segment> {
    if (this.#segment && this.#isDue(this.#segment)) await this.close('rotated');
    this.#segment ??= await this.#open(facts());
    return this.#segment;
  }

  get chain(): string {
    return this.#segment?.name.chain ?? this.#next.name.chain;
  }

  /** Of the segment that is written now, or else of the next one. */
  get number(): number {
    return this.#segment?.name.number ?? this.#next.name.number;
  }

  /** Signs what has been reached, if that was not done yet; the file comes later. */
  checkpoint(): void {
    if (this.#segment) this.#place.checkpoints.take(this.#segment);
  }

  async close(reason: CloseReason): Promise<void> {
    if (!this.#segment) return;
    const segment = this.#segment;
    const previous = await segment.seal(reason);
    // Its key goes with the segment, so the last word on it is signed now.
    this.#place.checkpoints.take(segment, true);
    this.#follow(segment, previous);
    await segment.release(true);
  }

  /** Leaves the segment for good, without a footer. */
  async abandon(): Promise<void> {
    if (!this.#segment) return;
    const segment = this.#segment;
    this.#follow(segment, segment.predecessor(false));
    this.#abandoned = segment.path;
    await segment.release(false);
  }

  #isDue({ bytes, openedAt }: Segment): boolean {
    const { segmentBytes, segmentAgeMs } = this.#limits;
    return bytes >= segmentBytes || performance.now() - openedAt >= segmentAgeMs;
  }

  #follow(segment: Segment, previous: Predecessor): void {
    const { chain, number } = segment.name;
    const { head, seq, chainTree } = segment.position;
    const name = { chain, number: number + 1, firstSeq: seq + 1 };
    this.#segment = undefined;
    this.#next = { name, head, chainTree, previous, signer: segment.key };
  }

  async #open(facts: Omit<HeaderFacts, 'previous'>): Promise<Segment> {
    const { files, directory, owner, keys } = this.#place;
    const { name, previous, signer } = this.#next;
    // A directory that was away may have come back without it.
    await owner.renew();
    if (this.#unborn) await files.remove(this.#unborn);
    this.#unborn = undefined;
    const own = SigningKey.create();
    await keys.keep(name.number, own);
    let segment: Segment;
    try {
      segment = await Segment.create(files, directory, name, { own, signer: signer ?? own }, this.#next, {
        ...facts,
        previous,
      });
    } catch (error) {
      // A file that was there before us belongs to somebody else.
      if (codeOf(error) !== 'EEXIST') this.#unborn = join(directory, fileOf(name));
      throw error;
    }
    await keys.destroyAllBut(name.number).catch(this.#onKeyLeft);
    await this.#protectAbandoned();
    return segment;
  }

  async #protectAbandoned(): Promise<void> {
    if (this.#abandoned === undefined) return;
    // It may be gone, or somebody else's by now: what counts of it is said already.
    await this.#place.files.protect(this.#abandoned).catch(() => undefined);
    this.#abandoned = undefined;
  }
}
