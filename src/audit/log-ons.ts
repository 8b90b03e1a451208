/**
 * Which log-ons are worth a record: the first of a caller with a credential from a network, and then once an hour. All
 * others are told by the records of their calls.
 */
const windowMs = 3_600_000;
const maxKnown = 10_000;

export class LogOns {
  readonly #knownUntil = new Map<string, number>();

  isFirst(caller: string, credential: string | undefined, network: string, now = performance.now()): boolean {
    const key = JSON.stringify([caller, credential, network]);
    if ((this.#knownUntil.get(key) ?? 0) > now) return false;
    this.#knownUntil.delete(key);
    this.#knownUntil.set(key, now + windowMs);
    const [oldest] = this.#knownUntil.keys();
    if (this.#knownUntil.size > maxKnown && oldest !== undefined) this.#knownUntil.delete(oldest);
    return true;
  }
}
