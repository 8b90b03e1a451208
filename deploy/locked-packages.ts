/**
 * Which packages run in service, read from the lockfile: what the archive carries and what its bill of materials
 * lists are both taken from here, so that they cannot differ.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { licencesFile } from './console.ts';

const edges = z.record(z.string(), z.string()).default({});
const locked = z.object({
  name: z.string().optional(),
  version: z.string(),
  license: z.string().optional(),
  integrity: z.string().optional(),
  dependencies: edges,
  optionalDependencies: edges,
});
const lockfile = z.object({ lockfileVersion: z.literal(3), packages: z.record(z.string(), locked) });
const manifest = z.object({
  name: z.string(),
  version: z.string(),
  // The form of before 2015, which the lockfile passes over.
  licenses: z.array(z.object({ type: z.string() })).default([]),
});

export interface LockedPackage {
  /** Its folder below the root; empty for the product itself. */
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly license: string | undefined;
  readonly integrity: string | undefined;
  /** Folders of the packages that it needs. */
  readonly needs: readonly string[];
}

/** The product and everything that it needs on this platform, each as it is installed below `root`. */
export function lockedPackages(root: string): LockedPackage[] {
  const { packages } = lockfile.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
  const found = new Map<string, LockedPackage>();
  const visit = (path: string): void => {
    const entry = packages[path];
    if (!entry || found.has(path)) return;
    const { version, license, integrity, dependencies, optionalDependencies } = entry;
    const { name, licenses } = installedManifest(root, path, version);
    const wanted = Object.keys({ ...dependencies, ...optionalDependencies });
    const needs = wanted.flatMap((dependency) => {
      const place = placeOf(dependency, path, packages);
      // A package for another platform is in the lockfile and not on the disk.
      if (dependency in optionalDependencies && !(place && existsSync(join(root, place)))) return [];
      if (place === undefined) throw new Error(`The lockfile has no ${dependency}, which ${name} needs.`);
      return [place];
    });
    found.set(path, { path, name, version, license: license ?? licenses[0]?.type, integrity, needs });
    needs.forEach(visit);
  };
  visit('');
  return [...found.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

const licence = z.object({ name: z.string(), version: z.string(), identifier: z.string().nullish() });

/** What the console's page was built of: no folders in service, but part of it all the same. */
export function packagesInPage(root: string): LockedPackage[] {
  const { packages } = lockfile.parse(JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')));
  const built = z.array(licence).parse(JSON.parse(readFileSync(join(root, licencesFile), 'utf8')));
  return built.map(({ name, version, identifier }) => {
    const path = `node_modules/${name}`;
    if (packages[path]?.version !== version)
      throw new Error(`The page has ${name} ${version}, the lockfile has not; run npm run build`);
    const { integrity, license = identifier ?? undefined } = packages[path];
    return { path, name, version, license, integrity, needs: [] };
  });
}

/** Node's own rule: the nearest `node_modules` upwards. */
function placeOf(
  name: string,
  from: string,
  packages: Readonly<Record<string, unknown>>,
): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    const place = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (place in packages) return place;
    if (at === '') return undefined;
  }
}

function installedManifest(root: string, path: string, version: string) {
  const file = join(root, path, 'package.json');
  const installed = existsSync(file) ? manifest.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined;
  if (!installed) throw new Error(`${file} is missing; run npm ci`);
  if (installed.version !== version)
    throw new Error(`${file} is ${installed.version} and not ${version}; run npm ci`);
  return installed;
}
