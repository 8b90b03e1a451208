/**
 * Runs before the tests: they start real programs, so these must be there. What is missing is installed where that is
 * possible without a question; elsewhere the run ends here and says what to do.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, rmSync, writeFileSync } from 'node:fs';

interface Program {
  readonly name: string;
  /** Of Debian. */
  readonly package: string;
  readonly what: string;
  /** What it says its version with; `--version` when left out. */
  readonly option?: string;
  /** A file that it needs besides. */
  readonly module?: string;
}

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

/** Where Debian puts services is not on everybody's path. */
const withServices = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` };

function isThere({ name, option = '--version', module }: Program): boolean {
  if (module !== undefined && globSync(module).length === 0) return false;
  return spawnSync(name, [option], { stdio: 'ignore', env: withServices }).status === 0;
}

function installOnDebian(missing: readonly Program[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['update'], { stdio: 'inherit', env });
  withoutStartingServices(() => {
    const packages = missing.map((program) => program.package);
    const parameters = ['install', '-y', '--no-install-recommends', ...packages];
    execFileSync('apt-get', parameters, { stdio: 'inherit', env });
  });
}

/** Packages of Debian start their services unless this policy says no (invoke-rc.d: 101 = not allowed). */
function withoutStartingServices(install: () => void): void {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return install();
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    install();
  } finally {
    rmSync(policy);
  }
}

const missing = programs.filter((program) => !isThere(program));
if (missing.length > 0 && existsSync('/etc/debian_version') && process.getuid?.() === 0)
  installOnDebian(missing);
const lacking = missing.filter((program) => !isThere(program));
if (lacking.length > 0) {
  const names = lacking.map(({ name, what }) => `  ${name}  (${what})`).join('\n');
  console.error(`The tests need these programs:
${names}
Install them:
  Debian, Ubuntu   sudo apt-get install ${lacking.map((program) => program.package).join(' ')}
  Fedora, RHEL     sudo dnf install redis python3 openssl rsyslog-openssl
  macOS            brew install redis python openssl rsyslog`);
  process.exitCode = 1;
}
