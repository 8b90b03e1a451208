/** Runs before the browser tests: a real Chromium must be there, and the page must be built. */
import { resolve } from 'node:path';

import { buildConsole } from '../../deploy/console.ts';
import { browserPath } from './browser.ts';
import { provide } from './programs.ts';

if (browserPath() === undefined)
  provide(
    [{ name: 'chromium', package: 'chromium', what: 'Chromium, which the page is tried in' }],
    `  Fedora, RHEL     sudo dnf install chromium
  macOS            brew install --cask chromium`,
  );
await buildConsole(resolve(import.meta.dirname, '../..'));
