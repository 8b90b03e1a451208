/** The product's version, from the one place that states it. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const manifest: unknown = JSON.parse(readFileSync(resolve(import.meta.dirname, '../package.json'), 'utf8'));

export const version =
  typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : '0.0.0';
