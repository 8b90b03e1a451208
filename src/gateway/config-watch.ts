/**
 * Has the configuration read again when one of its files changes, or when told to. Readings follow one another, so that
 * an older one never replaces a newer one.
 */
import { unwatchFile, watchFile } from 'node:fs';

import { loadConfig, type Config } from './config.ts';

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

/** @param files what was read for the configuration in force */
export function watchConfig(file: string, files: ReadonlySet<string>, reconfigure: Reconfigure): ConfigWatch {
  let watched: ReadonlySet<string> = new Set();
  let settling: NodeJS.Timeout | undefined;
  let last = Promise.resolve();
  let isClosed = false;
  const changed = (): void => {
    clearTimeout(settling);
    settling = setTimeout(() => void reload('file'), settleMs).unref();
  };
  // Asking for the status also sees what a notification on the name would miss: Kubernetes swaps a link above it.
  const watch = (found: ReadonlySet<string>): void => {
    for (const path of found.difference(watched))
      watchFile(path, { interval: watchMs, persistent: false }, changed);
    for (const path of watched.difference(found)) unwatchFile(path, changed);
    watched = found;
  };
  const readAgain = async (occasion: Occasion): Promise<void> => {
    if (isClosed) return;
    const found = new Set<string>();
    const isInForce = await reconfigure(
      () => loadConfig(file, process.env, (path) => found.add(path)),
      occasion,
    );
    // After a refusal the file that is missing or wrong may come right without any other changing.
    if (!isClosed) watch(isInForce ? found : watched.union(found));
  };
  const reload = (occasion: Occasion): Promise<void> => (last = last.then(() => readAgain(occasion)));
  watch(files);
  return {
    reload,
    [Symbol.dispose]() {
      isClosed = true;
      clearTimeout(settling);
      watch(new Set());
    },
  };
}
