/**
 * How far a destination has got: what was sent, what of it has arrived for sure, and what of that is kept on disk. The
 * three follow each other in this order and never change it, so a break at any moment sends again and leaves nothing out.
 */
import { describeError, log } from '../log.ts';
import { Horizon } from './horizon.ts';
import { beginningOf, PlaceFile, type Place } from './place.ts';
import type { Confirmed } from './source.ts';

const saveEveryMs = 1000;

export class Progress {
  readonly #destination: string;
  readonly #file: PlaceFile;
  readonly #resendMs: number;
  #place: Place | undefined;
  #horizon: Horizon | undefined;
  #saved: Place | undefined;
  #savedAt = -Infinity;

  /**
   * @param directory the instance's, where its segments are
   * @param resendMs what was sent so lately has not arrived for sure; 0 where the destination confirms
   */
  constructor(directory: string, destination: string, resendMs: number) {
    this.#destination = destination;
    this.#file = new PlaceFile(directory, destination);
    this.#resendMs = resendMs;
  }

  /** What was sent; undefined when nothing was. */
  get place(): Place | undefined {
    return this.#place;
  }

  /** Reads what a former process has kept, once. */
  async load(): Promise<void> {
    this.#saved ??= await this.#file.read();
    this.#place ??= this.#saved;
  }

  /** Where to read on. */
  begin({ chain, segments }: Confirmed): Place {
    if (this.#place?.chain !== chain) {
      // What was removed before anybody asked for a delivery is not missing in it.
      this.#place = { ...beginningOf(chain), seq: (segments[0]?.firstSeq ?? 1) - 1 };
      this.#horizon = undefined;
    }
    this.#horizon ??= new Horizon(this.#place, this.#resendMs);
    return this.#place;
  }

  sent(place: Place): void {
    this.#place = place;
    this.#horizon?.sent(place, performance.now());
  }

  /** What has not arrived for sure counts as not sent. */
  rewind(): void {
    this.#place = this.#horizon?.rewind();
  }

  /** Whether it is time to learn what has arrived. */
  get isDue(): boolean {
    return this.#horizon?.isDue(performance.now()) ?? false;
  }

  prove(): void {
    this.#horizon?.prove();
  }

  /** Puts down what has arrived; not every time, unless it must be at once. */
  async keep(atOnce = false): Promise<void> {
    const now = performance.now();
    this.#horizon?.settle(now);
    const place = this.#horizon?.safe;
    if (!place || place === this.#saved || (!atOnce && now - this.#savedAt < saveEveryMs)) return;
    this.#savedAt = now;
    try {
      await this.#file.write(place);
      this.#saved = place;
    } catch (error) {
      // Things are sent again after the next start, which is no reason not to send now.
      log.warn('how far the delivery has got could not be kept', {
        destination: this.#destination,
        ...describeError(error),
      });
    }
  }
}
