/**
 * What of all that was sent has arrived for sure. Where the destination confirms, that is everything; where it cannot
 * (RFC 5425 has no acknowledgement), what was read by the other side and is older than the span that is sent again.
 */
import type { Place } from './place.ts';

interface Mark {
  /** Up to here it was sent between these instants. */
  place: Place;
  readonly from: number;
  to: number;
  proven: boolean;
}

/** So few marks are kept however much is sent. */
const marksPerSpan = 30;

export class Horizon {
  readonly #spanMs: number;
  #safe: Place;
  #marks: Mark[] = [];

  /** @param spanMs 0 where sent means arrived */
  constructor(safe: Place, spanMs: number) {
    this.#safe = safe;
    this.#spanMs = spanMs;
  }

  /** From here on everything may have to be sent again. */
  get safe(): Place {
    return this.#safe;
  }

  sent(place: Place, now: number): void {
    if (this.#spanMs === 0) {
      this.#safe = place;
      return;
    }
    const last = this.#marks.at(-1);
    if (last && !last.proven && now - last.from < this.#spanMs / marksPerSpan) {
      last.place = place;
      last.to = now;
    } else this.#marks.push({ place, from: now, to: now, proven: false });
  }

  /** Whether it is time to learn what has arrived. */
  isDue(now: number): boolean {
    return this.#marks.some(({ proven, to }) => !proven && now - to >= this.#spanMs);
  }

  /** All that was sent until now has been read by the other side. */
  prove(): void {
    for (const mark of this.#marks) mark.proven = true;
  }

  /** Moves on as time passes. */
  settle(now: number): void {
    for (
      let mark;
      (mark = this.#marks[0]) && mark.proven && now - mark.to >= this.#spanMs;
      this.#marks.shift()
    )
      this.#safe = mark.place;
  }

  /** What was sent and is not safe counts as not sent. */
  rewind(): Place {
    this.#marks = [];
    return this.#safe;
  }
}
