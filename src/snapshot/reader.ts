/** The resources of an edition, fetched in parts; a few of them stay in the process. An edition never changes. */
import { folded } from '../scim/folded.ts';
import type { Board, Edition } from './board.ts';
import { unpack } from './parts.ts';

const mostPartsKept = 8;

interface Ids {
  readonly edition: string;
  readonly list: readonly string[];
  readonly positions: ReadonlyMap<string, number>;
}

export const partName = ({ name }: Pick<Edition, 'name'>, number: number): string => `${name}.${number}`;
export const idsName = ({ name }: Pick<Edition, 'name'>): string => `${name}.ids`;

export class EditionReader {
  readonly #board: Board;
  readonly #parts = new Map<string, readonly Buffer[]>();
  #ids: Ids | undefined;
  /** The edition of which something is no longer there. */
  #lost: string | undefined;

  constructor(board: Board) {
    this.#board = board;
  }

  async ids(edition: Edition): Promise<readonly string[] | undefined> {
    if (this.#ids?.edition === edition.name) return this.#ids.list;
    const bytes = await this.#fetch(edition, idsName(edition));
    if (!bytes) return undefined;
    const list = JSON.parse(bytes.toString('utf8')) as string[];
    this.#ids = { edition: edition.name, list, positions: new Map(list.map((id, at) => [id, at])) };
    return list;
  }

  hasLost({ name }: Edition): boolean {
    return this.#lost === name;
  }

  /** Folded. */
  async names(edition: Edition): Promise<ReadonlySet<string>> {
    return new Set((await this.ids(edition))?.map(folded));
  }

  /** Undefined for one that cannot be fetched; its ids must have been. */
  async body(edition: Edition, id: string): Promise<Buffer | undefined> {
    let at = this.#ids?.edition === edition.name ? this.#ids.positions.get(id) : undefined;
    if (at === undefined) return undefined;
    for (const [number, count] of edition.parts.entries()) {
      if (at < count) return (await this.#part(edition, number))?.[at];
      at -= count;
    }
    return undefined;
  }

  async #fetch({ name: edition }: Edition, name: string): Promise<Buffer | undefined> {
    const bytes = await this.#board.kept(name);
    if (bytes === 'lost') this.#lost = edition;
    return bytes === 'lost' ? undefined : bytes;
  }

  async #part(edition: Edition, number: number): Promise<readonly Buffer[] | undefined> {
    const name = partName(edition, number);
    const known = this.#parts.get(name);
    if (known) return known;
    const bytes = await this.#fetch(edition, name);
    const part = bytes && unpack(bytes);
    if (part?.length !== edition.parts[number]) return undefined;
    this.#parts.set(name, part ?? []);
    for (const oldest of this.#parts.keys()) {
      if (this.#parts.size <= mostPartsKept) break;
      this.#parts.delete(oldest);
    }
    return part;
  }
}
