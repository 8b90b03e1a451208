/**
 * The bill of materials (CycloneDX 1.6, JSON) of what runs in service: the packages with licence, hash and who
 * needs whom. It says nothing about time or place, so that the same lockfile always gives the same document.
 */
import { hash } from 'node:crypto';
import { resolve } from 'node:path';

import { buildConsole } from './console.ts';
import { lockedPackages, packagesInPage, type LockedPackage } from './locked-packages.ts';

const algorithms: Readonly<Record<string, string>> = { sha1: 'SHA-1', sha256: 'SHA-256', sha512: 'SHA-512' };

/** @param inPage what the console's page was built of */
export function billOfMaterials(installed: readonly LockedPackage[], inPage: readonly LockedPackage[] = []) {
  const [product, ...others] = withPage(installed, inPage);
  if (product?.path !== '') throw new Error('The product itself is not among the packages.');
  const packages = [product, ...others];
  const refs = new Map(packages.map((each) => [each.path, refOf(each)]));
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidFrom(JSON.stringify(packages))}`,
    version: 1,
    metadata: {
      component: { type: 'application', ...describe(product) },
      tools: { components: [{ type: 'application', name: 'gatehouse-sbom', version: product.version }] },
    },
    components: others.map((each) => ({ type: 'library', ...describe(each), ...withHash(each) })),
    dependencies: packages.map((each) => ({
      ref: refOf(each),
      dependsOn: [...new Set(each.needs.map((path) => refs.get(path) ?? path))].toSorted(),
    })),
  };
}

function withPage(installed: readonly LockedPackage[], inPage: readonly LockedPackage[]): LockedPackage[] {
  const known = new Set(installed.map(({ path }) => path));
  const added = inPage.filter(({ path }) => !known.has(path));
  const paths = added.map(({ path }) => path);
  return [
    ...installed.map((each) => (each.path === '' ? { ...each, needs: [...each.needs, ...paths] } : each)),
    ...added,
  ];
}

function describe(locked: LockedPackage) {
  const { name, version, license } = locked;
  return {
    'bom-ref': refOf(locked),
    name,
    version,
    ...(license !== undefined && { licenses: [licenseOf(license)] }),
    purl: urlOf(locked),
    // Scanners know Node's weaknesses under its own name, not under the one of the package that carries it.
    ...(isNode(name) && { cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*` }),
  };
}

/** The folder is part of it, because one version may be installed twice. */
function refOf(locked: LockedPackage): string {
  return locked.path === '' ? urlOf(locked) : `${urlOf(locked)}#${locked.path}`;
}

/** Package URL; the `@` of a scope is written %40 there. */
function urlOf({ name, version }: LockedPackage): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function licenseOf(text: string) {
  return /^[\w.+-]+$/.test(text) ? { license: { id: text } } : { expression: text };
}

function withHash({ integrity = '' }: LockedPackage) {
  const [algorithm = '', digest = ''] = integrity.split('-');
  const alg = algorithms[algorithm];
  return alg ? { hashes: [{ alg, content: Buffer.from(digest, 'base64').toString('hex') }] } : {};
}

export function isNode(packageName: string): boolean {
  return /^node(-bin)?-(linux|darwin)-\w+$/.test(packageName);
}

/** A name-based UUID in the form of RFC 9562, version 8. */
function uuidFrom(text: string): string {
  const hex = hash('sha256', text);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '..');
  await buildConsole(root);
  const bill = billOfMaterials(lockedPackages(root), packagesInPage(root));
  process.stdout.write(`${JSON.stringify(bill, null, 2)}\n`);
}
