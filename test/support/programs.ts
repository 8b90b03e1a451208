/** Programs that tests start: whether they are there, and how they come to be. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, rmSync, writeFileSync } from 'node:fs';

export interface Program {
  readonly name: string;
  /** Of Debian. */
  readonly package: string;
  readonly what: string;
  /** What it says its version with; `--version` when left out. */
  readonly option?: string;
  /** A file that it needs besides. */
  readonly module?: string;
}

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

/** Installs what is missing where that is possible without a question; elsewhere the run ends here and says what to do. */
export function provide(programs: readonly Program[], elsewhere: string): void {
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length > 0 && existsSync('/etc/debian_version') && process.getuid?.() === 0)
    installOnDebian(missing);
  const lacking = missing.filter((program) => !isThere(program));
  if (lacking.length === 0) return;
  const names = lacking.map(({ name, what }) => `  ${name}  (${what})`).join('\n');
  console.error(`The tests need these programs:
${names}
Install them:
  Debian, Ubuntu   sudo apt-get install ${lacking.map((program) => program.package).join(' ')}
${elsewhere}`);
  process.exitCode = 1;
}
