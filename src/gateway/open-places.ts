/**
 * Which files of the configuration others can write, or replace because they can write the directory: whoever does decides
 * what the gateway allows and whom it believes. That a group can write one is the operator's own choice. Secrets are not
 * judged here: with one that others can access the gateway does not start (config-references.ts).
 */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

import { log } from '../log.ts';
import type { Config } from './config.ts';

export interface OpenPlace {
  readonly path: string;
  /** A directory of the file that leads there. */
  readonly isDirectory: boolean;
}

const byOthers = 0o002;
const sticky = 0o1000;

/** Every file that decides: those that were read for the configuration, and those that the gateway itself writes. */
export function decidingFiles({ secretsFile, audit, admin }: Config, read: Iterable<string>): string[] {
  const console = admin.console ? [admin.console.secretsFile] : [];
  return [...read, secretsFile, audit.keyFile, ...console];
}

/** @param isReadOnly where nobody can write, whatever modes say: Kubernetes shows a ConfigMap in a directory of mode 0777 */
export function openPlaces(files: Iterable<string>, isReadOnly = isMountedReadOnly): OpenPlace[] {
  const found = [...files].flatMap((file) => [...new Set([file, realOf(file)])]);
  const directories = new Set(found.map((file) => dirname(file)));
  return [
    ...[...new Set(found.map(realOf))].map((path) => ({ path, isDirectory: false })),
    ...[...directories].map((path) => ({ path, isDirectory: true })),
  ].filter(({ path, isDirectory }) => {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
    const isOpen = isDirectory ? (mode & (byOthers | sticky)) === byOthers : (mode & byOthers) !== 0;
    return isOpen && !isReadOnly(path);
  });
}

export function warnOfOpenPlaces(files: Iterable<string>): void {
  for (const { path, isDirectory } of openPlaces(files))
    log.warn(
      isDirectory
        ? 'others can replace files of the configuration'
        : 'others can write a file of the configuration',
      { path, remedy: `chmod o-w ${path}` },
    );
}

/** Where a link leads; a file that is not there is told by whoever reads it. */
function realOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function isMountedReadOnly(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
}
