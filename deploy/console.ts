/**
 * Builds the console's page into src/console/web/dist, when what it is made of has changed since. Where the page's
 * packages are not installed (in service, or with --omit=dev) it does nothing: there the page came along built.
 */
import { createHash } from 'node:crypto';
import { existsSync, globSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';

const source = 'src/console/web';
/** What the page is made of, with the texts that must go with it. */
const licences = 'licences.json';
export const licencesFile = join(source, 'dist', licences);

/** @returns whether it had to be built */
export async function buildConsole(root: string): Promise<boolean> {
  if (!existsSync(join(root, 'node_modules/vite')) || !existsSync(join(root, source, 'index.html')))
    return false;
  const stamp = join(root, source, 'dist/.made-of');
  const madeOf = await fingerprint(root);
  if (existsSync(stamp) && (await readFile(stamp, 'utf8')) === madeOf) return false;
  const { build } = await import('vite');
  await build({
    configFile: false,
    root: join(root, source),
    base: '/console/',
    logLevel: 'warn',
    // Every asset is a file of its own: the page's policy allows no `data:` address.
    build: {
      target: 'es2023',
      assetsInlineLimit: 0,
      emptyOutDir: true,
      chunkSizeWarningLimit: 4096,
      license: { fileName: licences },
      // UI5's wrappers say `use client` for frameworks that render on a server; there is none here.
      rolldownOptions: { checks: { moduleLevelDirective: false } },
    },
  });
  await compress(join(root, source, 'dist'));
  await writeFile(stamp, madeOf);
  return true;
}

/** The console's server sends these as they are, so that nothing is compressed while somebody waits. */
async function compress(dist: string): Promise<void> {
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
  for (const file of globSync('**/*.{js,css,html,svg}', { cwd: dist })) {
    const content = await readFile(join(dist, file));
    await writeFile(join(dist, `${file}.br`), await promisify(brotliCompress)(content, quality));
    await writeFile(join(dist, `${file}.gz`), await promisify(gzip)(content));
  }
}

async function fingerprint(root: string): Promise<string> {
  const files = globSync([`${source}/*.{ts,tsx,css,html,svg,json}`, 'src/console/api/*.ts'], {
    cwd: root,
  }).toSorted();
  const sum = createHash('sha256');
  // What is installed, whatever the version of the product that the lockfile stands beside.
  for (const file of [...files, 'node_modules/.package-lock.json', 'deploy/console.ts'])
    sum.update(`${file}\0`).update(await readFile(join(root, file)));
  return sum.digest('hex');
}

if (import.meta.main) await buildConsole(resolve(import.meta.dirname, '..'));
