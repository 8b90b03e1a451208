/**
 * Which files make up which chain: segments of one chain may lie in several directories, as those that were moved to
 * an archive do. Directories are told apart by the chain of their first segment.
 */
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';

import { readOwners } from './owner.ts';
import { listSegments } from './recover.ts';
import { fileOf, type SegmentName } from './segment-name.ts';

export interface SegmentFile {
  readonly name: SegmentName;
  readonly path: string;
  readonly bytes: number;
}

export interface ChainFiles {
  /** The name of its first directory. */
  readonly instance: string;
  /** Undefined where there are no segments. */
  readonly chain: string | undefined;
  readonly directories: readonly string[];
  readonly segments: readonly SegmentFile[];
  /** Whether a living process writes the last segment. */
  readonly running: boolean;
}

/** @param directories those of instances, or those that hold them */
export async function findChains(directories: readonly string[]): Promise<ChainFiles[]> {
  const found = (await Promise.all(directories.map(instanceDirectories))).flat();
  const paths = [...new Set(found.map((path) => resolve(path)))];
  const contents = await Promise.all(paths.map(readDirectory));
  const groups = Map.groupBy(contents, ({ chain, directory }) => chain ?? directory);
  return [...groups.values()].map(merged);
}

interface Content {
  readonly directory: string;
  readonly chain: string | undefined;
  readonly segments: readonly SegmentFile[];
  readonly running: boolean;
}

async function readDirectory(directory: string): Promise<Content> {
  // The owner is looked up first: one that stops meanwhile has left a footer.
  const running = (await readOwners(directory)).some(({ alive }) => alive);
  const names = await listSegments(directory);
  const segments = await Promise.all(
    names.map(async (name) => {
      const path = join(directory, fileOf(name));
      return { name, path, bytes: (await stat(path)).size };
    }),
  );
  return { directory, chain: names[0]?.chain, segments, running };
}

/** A segment that is in several directories is read from the one that was named first. */
function merged(contents: readonly Content[]): ChainFiles {
  const byFile = new Map<string, SegmentFile>();
  for (const segment of contents.flatMap(({ segments }) => segments))
    byFile.getOrInsertComputed(fileOf(segment.name), () => segment);
  const directories = contents.map(({ directory }) => directory);
  return {
    instance: basename(directories[0] ?? ''),
    chain: contents[0]?.chain,
    directories,
    segments: [...byFile.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, segment]) => segment),
    running: contents.some(({ running }) => running),
  };
}

async function instanceDirectories(directory: string): Promise<string[]> {
  if ((await listSegments(directory)).length > 0) return [directory];
  const entries = await readdir(directory, { withFileTypes: true });
  const below = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name));
  return below.length > 0 ? below.toSorted() : [directory];
}
