/**
 * The member names of one JSON text as small numbers: equal numbers mean the same name to a SCIM reader, whatever
 * its case and escapes (RFC 7643 §2.1). Bytes that were seen before are recognised without making a string.
 */

const slots = 1024;

export class MemberNames {
  readonly #bytes: Buffer;
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** What each slot saw last. Names that share a slot only push each other out, so no input can make it slow. */
  readonly #starts = new Int32Array(slots);
  readonly #lengths = new Int32Array(slots);
  readonly #slotNumbers = new Int32Array(slots);

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** @param start of the literal's content, `end` after it, both without quotes */
  numberOf(start: number, end: number): number {
    const length = end - start;
    const slot = this.#slotOf(start, end, length);
    // An untouched slot has length 0 and number 0; the empty name therefore always takes the slow way.
    if (length > 0 && this.#lengths[slot] === length && this.#isSame(this.#starts[slot] ?? 0, start, length))
      return this.#slotNumbers[slot] ?? 0;
    const name = this.#read(start, end);
    const known = this.#numbers.get(name);
    const number = known ?? this.#texts.push(name) - 1;
    if (known === undefined) this.#numbers.set(name, number);
    this.#starts[slot] = start;
    this.#lengths[slot] = length;
    this.#slotNumbers[slot] = number;
    return number;
  }

  textOf(number: number): string {
    return this.#texts[number] ?? '';
  }

  /** First and last bytes and the length: spreads the names of SCIM well enough, and costs next to nothing. */
  #slotOf(start: number, end: number, length: number): number {
    const bytes = this.#bytes;
    return (
      ((bytes[start] ?? 0) + 31 * (bytes[end - 1] ?? 0) + 17 * (bytes[end - 3] ?? 0) + 7 * length) &
      (slots - 1)
    );
  }

  #isSame(one: number, other: number, length: number): boolean {
    for (let i = 0; i < length; i += 1) if (this.#bytes[one + i] !== this.#bytes[other + i]) return false;
    return true;
  }

  #read(start: number, end: number): string {
    const content = this.#bytes.toString('utf8', start, end);
    const name: unknown = content.includes('\\') ? JSON.parse(`"${content}"`) : content;
    return String(name).toLowerCase();
  }
}
