/**
 * What the guard believes of Redis: only what a gateway has put under this very key, as `text.mac`. What was changed, or
 * comes from another key, is as if it were not there, because a made-up hold would be an error to a caller.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

export class BookSeal {
  readonly #key: Buffer;

  /** @param key the same on all replicas */
  constructor(key: Buffer) {
    this.#key = Buffer.from(hkdfSync('sha256', key, '', 'gatehouse guard book', 32));
  }

  close(key: string, text: string): string {
    return `${text}.${this.#macOf(key, text)}`;
  }

  open(key: string, value: string | null | undefined): string | undefined {
    const end = value?.lastIndexOf('.') ?? -1;
    if (value == null || end < 0) return undefined;
    const text = value.slice(0, end);
    const [said, mac] = [value.slice(end + 1), this.#macOf(key, text)].map((each) => Buffer.from(each));
    return said && mac && said.length === mac.length && timingSafeEqual(said, mac) ? text : undefined;
  }

  #macOf(key: string, text: string): string {
    return createHmac('sha256', this.#key).update(`${key}\0${text}`).digest('base64url');
  }
}
