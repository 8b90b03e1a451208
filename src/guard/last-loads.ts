/**
 * The last load of each system and type that was whole: a file each, with the pseudonyms of its ids as 16 bytes, which no
 * compression makes smaller. It is read when a load ends, and nothing of it is kept in memory but its size.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { writePrivate } from '../file-desk.ts';
import { describeError, log } from '../log.ts';

export interface LastLoad {
  readonly count: number;
  /** When it ended. */
  readonly at: string;
  /** Of the key that made the pseudonyms. */
  readonly period: string;
  /** Whether all its pages told one total, which is then no estimate. */
  readonly hasTotal: boolean;
}

export interface LoadedIds {
  readonly last: LastLoad;
  readonly ids: ReadonlySet<string>;
}

const idBytes = 16;

export class LastLoads {
  readonly #directory: string;
  readonly #heads = new Map<string, LastLoad | undefined>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @param name of system and type, which tells nobody which */
  async head(name: string): Promise<LastLoad | undefined> {
    if (!this.#heads.has(name)) this.#heads.set(name, (await this.read(name))?.last);
    return this.#heads.get(name);
  }

  async read(name: string): Promise<LoadedIds | undefined> {
    try {
      const content = await readFile(this.#fileOf(name));
      const end = content.indexOf('\n');
      const last = JSON.parse(content.toString('utf8', 0, end)) as LastLoad;
      const bytes = content.subarray(end + 1);
      if (bytes.length !== last.count * idBytes) throw new Error('The file is not as long as it says.');
      const ids = Array.from({ length: last.count }, (_, at) =>
        bytes.toString('base64url', at * idBytes, (at + 1) * idBytes),
      );
      return { last, ids: new Set(ids) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        log.error(
          'what the last load had cannot be read; the next one counts as the first',
          describeError(error),
        );
      return undefined;
    }
  }

  /** Never rejects. @param ids as base64url of 16 bytes each */
  async write(name: string, last: LastLoad, ids: ReadonlySet<string>): Promise<void> {
    const bytes = Buffer.allocUnsafe(ids.size * idBytes);
    let at = 0;
    for (const id of ids) at += bytes.write(id, at, 'base64url');
    this.#heads.set(name, last);
    try {
      const head = Buffer.from(`${JSON.stringify(last)}\n`);
      await writePrivate(this.#fileOf(name), Buffer.concat([head, bytes]));
    } catch (error) {
      log.warn(
        'what the load had cannot be kept; after a restart the next one counts as the first',
        describeError(error),
      );
    }
  }

  #fileOf(name: string): string {
    return join(this.#directory, `load-${name}`);
  }
}
