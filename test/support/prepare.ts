/** Runs before the tests: they start real programs, so these must be there, and the console's page built. */
import { resolve } from 'node:path';

import { buildConsole } from '../../deploy/console.ts';
import { provide, type Program } from './programs.ts';

const programs: readonly Program[] = [
  { name: 'redis-server', package: 'redis-server', what: 'Redis 6 or later' },
  {
    name: 'python3',
    package: 'python3',
    what: 'Python 3.9 or later, for the second verifier of the audit trail',
  },
  { name: 'openssl', package: 'openssl', what: 'OpenSSL 3, for the same', option: 'version' },
  {
    name: 'rsyslogd',
    package: 'rsyslog-openssl',
    what: 'rsyslog 8 with TLS by OpenSSL, which the trail is delivered to',
    option: '-v',
    module: '{/usr/lib*,/opt/homebrew/lib,/usr/local/lib}/{*/,}rsyslog/lmnsd_ossl.so',
  },
];

provide(
  programs,
  `  Fedora, RHEL     sudo dnf install redis python3 openssl rsyslog-openssl
  macOS            brew install redis python openssl rsyslog`,
);
// Once, before several tests look at it.
await buildConsole(resolve(import.meta.dirname, '../..'));
