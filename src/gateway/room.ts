/**
 * How many connections there may be, altogether and from one source. Where there is no place, the one that has said
 * nothing for longest gives way to who comes, so that connections which only wait can keep nobody out. Invariant: nobody
 * gives way while a call of his is at work, or once it was known who calls.
 */
import { sourceOf } from '../auth/network.ts';

export interface RoomOptions {
  readonly most: number;
  readonly mostPerSource: number;
}

/** One connection, as long as it is there. */
export interface Guest {
  /** A call is at work. */
  ask(): void;
  /** It has ended. @param isKnown whether the caller was identified */
  rest(isKnown: boolean): void;
  leave(): void;
}

interface Source {
  count: number;
  /** What each of its silent ones does when it gives way; the one that is silent for longest first. */
  readonly silent: Map<Guest, () => void>;
}

export class Room {
  readonly #options: RoomOptions;
  readonly #sources = new Map<string, Source>();
  #count = 0;

  constructor(options: RoomOptions) {
    this.#options = options;
  }

  /**
   * @param giveWay ends the connection, because somebody else needs its place
   * @returns undefined when there is no place for it
   */
  enter(ip: string, giveWay: () => void): Guest | undefined {
    const name = sourceOf(ip);
    const own = this.#sources.get(name);
    if (own && own.count >= this.#options.mostPerSource && !makeRoom(own)) return undefined;
    if (this.#count >= this.#options.most && !makeRoom(this.#mostSilent())) return undefined;
    const source = this.#sources.getOrInsertComputed(name, () => ({ count: 0, silent: new Map() }));
    return this.#seat(name, source, giveWay);
  }

  #seat(name: string, source: Source, giveWay: () => void): Guest {
    let isKnown = false;
    let isHere = true;
    const guest: Guest = {
      ask: () => void source.silent.delete(guest),
      rest(wasKnown) {
        isKnown ||= wasKnown;
        if (isHere && !isKnown) source.silent.set(guest, end);
      },
      leave: () => {
        if (!isHere) return;
        isHere = false;
        source.silent.delete(guest);
        source.count -= 1;
        this.#count -= 1;
        if (source.count === 0) this.#sources.delete(name);
      },
    };
    const end = (): void => {
      guest.leave();
      giveWay();
    };
    source.count += 1;
    this.#count += 1;
    source.silent.set(guest, end);
    return guest;
  }

  #mostSilent(): Source | undefined {
    let found: Source | undefined;
    for (const source of this.#sources.values())
      if (source.silent.size > (found?.silent.size ?? 0)) found = source;
    return found;
  }
}

function makeRoom(source: Source | undefined): boolean {
  const [giveWay] = source?.silent.values() ?? [];
  giveWay?.();
  return giveWay !== undefined;
}
