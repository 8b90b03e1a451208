/**
 * Runs before the tests: they start a real redis-server each for themselves, so the program must be there.
 * It is installed where that is possible without a question; elsewhere the run ends here and says what to do.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';

function isThere(command: string): boolean {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function installOnDebian(): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  execFileSync('apt-get', ['update'], { stdio: 'inherit', env });
  withoutStartingServices(() => {
    const parameters = ['install', '-y', '--no-install-recommends', 'redis-server'];
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

if (!isThere('redis-server')) {
  if (existsSync('/etc/debian_version') && process.getuid?.() === 0) installOnDebian();
  if (!isThere('redis-server')) {
    console.error(`The tests need the program redis-server (Redis 6 or later) on the PATH. Install it:
  Debian, Ubuntu   sudo apt-get install redis-server
  Fedora, RHEL     sudo dnf install redis
  macOS            brew install redis`);
    process.exitCode = 1;
  }
}
