/**
 * Notices that files are not what they were when they were read. It asks for their status, which also sees what a
 * notification on the name would miss: Kubernetes swaps a link above them. Invariant: a file is added before it is read,
 * so that no change falls between.
 */
import { statSync, type BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';

export class FileWatch implements Disposable {
  /** What each file was, as far as its status tells. */
  readonly #marks = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;

  add(path: string): void {
    this.#marks.set(path, markOf(statNow(path)));
  }

  get paths(): Iterable<string> {
    return this.#marks.keys();
  }

  /** The others are not watched any more. */
  keep(paths: ReadonlySet<string>): void {
    for (const path of this.#marks.keys()) if (!paths.has(path)) this.#marks.delete(path);
  }

  /** @param onChange is called once for all that changed between two looks */
  start(everyMs: number, onChange: () => void): void {
    const look = async (): Promise<void> => {
      const changed = await Promise.all([...this.#marks].map(([path, mark]) => this.#isChanged(path, mark)));
      if (!this.#timer) return;
      lookLater();
      if (changed.includes(true)) onChange();
    };
    const lookLater = (): void => {
      this.#timer = setTimeout(() => void look(), everyMs).unref();
    };
    lookLater();
  }

  async #isChanged(path: string, mark: string): Promise<boolean> {
    const found = markOf(await stat(path, { bigint: true }).catch(() => undefined)); // gone, or not to be seen
    // It may have been added again, because it was read again, while its status was asked for.
    if (found === mark || this.#marks.get(path) !== mark) return false;
    this.#marks.set(path, found);
    return true;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function statNow(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined; // a directory before it is closed to us, which whoever reads the file tells
  }
}

function markOf(stats: BigIntStats | undefined): string {
  return stats ? `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}` : 'none';
}
