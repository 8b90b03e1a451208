/**
 * What time it is where the pool is kept, between two bounds: an answer was written at some instant between question
 * and reading. A clock that steps is told, because what was booked by it means nothing any more.
 */
const stepUs = 20_000;
/** The pool rounds its time down to milliseconds. */
const roundingUs = 1000;

export class PoolClock {
  /** How far the pool's clock is ahead of ours, in microseconds; 0 until it has been read. */
  least = 0;
  most = 0;
  #readAt = -Infinity;

  get isRead(): boolean {
    return this.#readAt !== -Infinity;
  }

  /**
   * @param poolNow what the pool said; asked for at `sentAt`, read at `readAt`, both by our monotonic clock
   * @returns whether it has stepped since it was last read, beyond what clocks drift
   */
  read(poolNow: number, sentAt: number, readAt: number): boolean {
    const least = poolNow - readAt;
    const most = poolNow + roundingUs - sentAt;
    const slackUs = stepUs + (readAt - this.#readAt) / 1000;
    const isStepped = this.isRead && (least > this.most + slackUs || most < this.least - slackUs);
    [this.least, this.most, this.#readAt] = [least, most, readAt];
    return isStepped;
  }
}
