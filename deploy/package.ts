/**
 * Makes the archive that is installed where there is no network: Node, the packages that run in service, the
 * sources, a bill of materials and checksums. Nothing is fetched; what is packed is what `npm ci` put there.
 */
import { createPrivateKey, hash, sign } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, cp, lstat, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';

import { buildConsole } from './console.ts';
import { lockedPackages, packagesInPage, type LockedPackage } from './locked-packages.ts';
import { billOfMaterials, isNode } from './sbom.ts';
import { listBelow, tar } from './tar.ts';

const own = ['bin', 'src', 'config', 'docs', 'deploy', 'package.json', 'LICENSE', 'README.md'];
const documents = ['ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', 'Dockerfile'];
/** Of Node's package only what runs: its headers and manual pages are three times the rest of the archive’s files. */
const ofNode = new Set(['bin', 'LICENSE', 'package.json']);

/** Builds the tree that the archive holds below `out`; gives its directory. */
export async function stage(root: string, out: string): Promise<string> {
  await buildConsole(root);
  const packages = lockedPackages(root);
  const version = packages[0]?.version ?? '';
  const tree = join(out, `gatehouse-${version}-${process.platform}-${process.arch}`);
  await rm(tree, { recursive: true, force: true });
  await mkdir(tree, { recursive: true });
  for (const name of [...own, ...documents])
    await cp(join(root, name), join(tree, name), { recursive: true, dereference: true, filter: isShipped });
  for (const locked of packages) if (locked.path !== '') await copyPackage(root, tree, locked);
  await linkNode(tree, packages);
  const bill = `${JSON.stringify(billOfMaterials(packages, packagesInPage(root)), null, 2)}\n`;
  await writeFile(join(tree, 'sbom.cdx.json'), bill);
  await writeFile(join(tree, 'SHA256SUMS'), await checksums(tree));
  await chmod(join(tree, 'deploy/install.sh'), 0o755);
  return tree;
}

/** Of the console's page what was built; its sources need packages that are not there. */
function isShipped(source: string): boolean {
  const [, inside] = source.split('/src/console/web/');
  return inside === undefined || /^dist(?:\/|$)/.test(inside);
}

/** Without the packages inside it: each of them is copied, or not, for itself. */
async function copyPackage(root: string, tree: string, { path, name }: LockedPackage): Promise<void> {
  const from = join(root, path);
  await cp(from, join(tree, path), {
    recursive: true,
    dereference: true,
    filter: (source) => {
      const [first = '', ...more] = relative(from, source).split('/');
      if ([first, ...more].includes('node_modules')) return false;
      return first === '' || !isNode(name) || ofNode.has(first);
    },
  });
}

/** bin/gatehouse and the unit find Node at the place where npm puts it. */
async function linkNode(tree: string, packages: readonly LockedPackage[]): Promise<void> {
  const node = packages.find(({ name }) => isNode(name));
  if (!node) throw new Error(`There is no Node for ${process.platform}-${process.arch}; run npm ci`);
  await mkdir(join(tree, 'node_modules/.bin'), { recursive: true });
  await symlink(`../${basename(node.path)}/bin/node`, join(tree, 'node_modules/.bin/node'));
}

/** In the format of `sha256sum`, for every file; the one link leads to a file that is among them. */
async function checksums(tree: string): Promise<string> {
  const lines: string[] = [];
  for (const path of listBelow(tree))
    if ((await lstat(join(tree, path))).isFile())
      lines.push(`${await sha256(join(tree, path))}  ./${path}\n`);
  return lines.join('');
}

export async function sha256(file: string): Promise<string> {
  return hash('sha256', await readFile(file));
}

/** Archive, its bill of materials and their checksums, signed if there is a key. Gives the files. */
export async function packArchive(root: string, out: string, keyFile?: string): Promise<string[]> {
  const tree = await stage(root, out);
  const archive = `${tree}.tar.gz`;
  await pipeline(Readable.from(tar(tree, basename(tree))), createGzip(), createWriteStream(archive));
  const bill = `${tree}.cdx.json`;
  await cp(join(tree, 'sbom.cdx.json'), bill);
  const sums = `${tree}.sha256`;
  const lines = [archive, bill].map(async (file) => `${await sha256(file)}  ${basename(file)}\n`);
  await writeFile(sums, (await Promise.all(lines)).join(''));
  await rm(tree, { recursive: true });
  return [archive, bill, sums, ...(keyFile === undefined ? [] : [await signFile(sums, keyFile)])];
}

async function signFile(file: string, keyFile: string): Promise<string> {
  const key = createPrivateKey(await readFile(keyFile));
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${keyFile} is not an Ed25519 key in PEM`);
  const signature = `${file}.sig`;
  await writeFile(signature, sign(undefined, await readFile(file), key));
  return signature;
}

if (import.meta.main) {
  const options = { out: { type: 'string', default: 'dist' }, sign: { type: 'string' } } as const;
  const { values } = parseArgs({ options });
  const files = await packArchive(resolve(import.meta.dirname, '..'), resolve(values.out), values.sign);
  process.stdout.write(`${files.join('\n')}\n`);
}
