/**
 * Has the configuration read again when one of its files changes, or when told to. Readings follow one another, so that
 * an older one never replaces a newer one.
 */
import { loadConfig, type Config } from './config.ts';
import type { FileWatch } from './file-watch.ts';

/** What made the gateway read its configuration again. */
export type Occasion = 'file' | 'signal';

export interface ConfigWatch extends Disposable {
  /** Resolves when what was read is in force, or was refused. */
  reload(occasion: Occasion): Promise<void>;
}

/** Whether what `load` gives is in force now. */
export type Reconfigure = (load: () => Config, occasion: Occasion) => Promise<boolean>;

const watchMs = 250;
/** Whoever changes several files needs a moment between. */
const settleMs = 500;

/** @param files has those that were read for the configuration in force */
export function watchConfig(file: string, files: FileWatch, reconfigure: Reconfigure): ConfigWatch {
  let settling: NodeJS.Timeout | undefined;
  let last = Promise.resolve();
  const readAgain = async (occasion: Occasion): Promise<void> => {
    const found = new Set<string>();
    const load = (): Config =>
      loadConfig(file, process.env, (path) => {
        found.add(path);
        files.add(path);
      });
    // After a refusal the file that is missing or wrong may come right without any other changing.
    if (await reconfigure(load, occasion)) files.keep(found);
  };
  const reload = (occasion: Occasion): Promise<void> => (last = last.then(() => readAgain(occasion)));
  files.start(watchMs, () => {
    clearTimeout(settling);
    settling = setTimeout(() => void reload('file'), settleMs).unref();
  });
  return {
    reload,
    [Symbol.dispose]() {
      clearTimeout(settling);
      files[Symbol.dispose]();
    },
  };
}
