/**
 * Which file the trail is written to now: opens segment after segment, each naming its predecessor's end.
 * A segment whose file cannot be trusted any more is left as it is, and its successor says how much of it counts.
 */
import { join } from 'node:path';

import type { Files } from './files.ts';
import type { Owner } from './owner.ts';
import type { Beginning } from './recover.ts';
import { codeOf, fileOf, Segment, type CloseReason, type HeaderFacts, type Predecessor } from './segment.ts';

export interface RotationLimits {
  readonly segmentBytes: number;
  readonly segmentAgeMs: number;
}

export class Succession {
  readonly #files: Files;
  readonly #directory: string;
  readonly #owner: Owner;
  readonly #limits: RotationLimits;
  #segment: Segment | undefined;
  #next: Pick<Beginning, 'name' | 'head' | 'previous'>;
  /** A file whose creation failed half-way; it must go before its name is used again. */
  #unborn: string | undefined;

  constructor(files: Files, directory: string, owner: Owner, limits: RotationLimits, beginning: Beginning) {
    this.#files = files;
    this.#directory = directory;
    this.#owner = owner;
    this.#limits = limits;
    this.#next = beginning;
  }

  /** The segment to write to; a new one when there is none or when it is full or old. */
  async current(facts: () => Omit<HeaderFacts, 'previous'>): Promise<Segment> {
    if (this.#segment && this.#isDue(this.#segment)) await this.close('rotated');
    this.#segment ??= await this.#open(facts());
    return this.#segment;
  }

  async close(reason: CloseReason): Promise<void> {
    if (!this.#segment) return;
    const segment = this.#segment;
    const previous = await segment.seal(reason);
    this.#follow(segment, previous);
    await segment.release(true);
  }

  /** Leaves the segment for good, without a footer. */
  async abandon(): Promise<void> {
    if (!this.#segment) return;
    const segment = this.#segment;
    this.#follow(segment, segment.predecessor(false));
    await segment.release(false);
  }

  #isDue({ bytes, openedAt }: Segment): boolean {
    const { segmentBytes, segmentAgeMs } = this.#limits;
    return bytes >= segmentBytes || performance.now() - openedAt >= segmentAgeMs;
  }

  #follow(segment: Segment, previous: Predecessor): void {
    const { chain, number } = segment.name;
    const { head, seq } = segment.position;
    this.#segment = undefined;
    this.#next = { name: { chain, number: number + 1, firstSeq: seq + 1 }, head, previous };
  }

  async #open(facts: Omit<HeaderFacts, 'previous'>): Promise<Segment> {
    const { name, head, previous } = this.#next;
    // A directory that was away may have come back without it.
    await this.#owner.renew();
    if (this.#unborn) await this.#files.remove(this.#unborn);
    this.#unborn = undefined;
    try {
      return await Segment.create(this.#files, this.#directory, name, head, { ...facts, previous });
    } catch (error) {
      // A file that was there before us belongs to somebody else.
      if (codeOf(error) !== 'EEXIST') this.#unborn = join(this.#directory, fileOf(name));
      throw error;
    }
  }
}
