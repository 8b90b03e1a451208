/**
 * `npm run deploy-check`: what other programs say about the deployment files. A program that is missing is named,
 * never passed over in silence; what Node alone can check is in test/deploy.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, existsSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '..');
const unit = 'deploy/systemd/gatehouse.service';
const scripts = ['bin/gatehouse', 'deploy/install.sh', 'deploy/redis/prepare.sh'];
let findings = 0;

interface Judgement {
  /** A program that ends with 0 although it found something, and then says so. */
  readonly silent?: boolean;
}

function run(title: string, program: string, args: readonly string[], { silent }: Judgement = {}): void {
  const { error, status, stdout, stderr } = spawnSync(program, args, { cwd: root, encoding: 'utf8' });
  if (error && 'code' in error && error.code === 'ENOENT')
    return report('not checked', title, `${program} is not on this machine`);
  if (status === 0 && !(silent && stderr)) return report('ok', title, '');
  findings += 1;
  report('FINDING', title, `${stdout}${stderr}`.trim());
}

function report(verdict: string, title: string, detail: string): void {
  process.stdout.write(`${verdict.padEnd(12)} ${title}${detail && `: ${detail}`}\n`);
}

/** systemd wants to see the programs that a unit starts, at their places. */
function verifyUnit(): void {
  using machine = mkdtempDisposableSync(join(tmpdir(), 'gatehouse-unit-'));
  const node = join(machine.path, 'opt/gatehouse/current/node_modules/.bin/node');
  const units = join(machine.path, 'etc/systemd/system');
  const programs = [node, join(machine.path, 'bin/kill')];
  for (const directory of [...programs.map((program) => dirname(program)), units])
    mkdirSync(directory, { recursive: true });
  for (const program of programs) writeFileSync(program, '', { mode: 0o755 });
  const delivered = '/usr/lib/systemd/system';
  if (existsSync(delivered))
    cpSync(delivered, join(machine.path, delivered), { recursive: true, verbatimSymlinks: true });
  cpSync(join(root, unit), join(units, 'gatehouse.service'));
  run(
    'systemd reads the unit without a complaint',
    'systemd-analyze',
    ['verify', `--root=${machine.path}`, '--man=no', 'gatehouse.service'],
    { silent: true },
  );
}

verifyUnit();
run('every alert fires where its figure says so, and none where all is well', 'promtool', [
  'test',
  'rules',
  'deploy/prometheus/gatehouse.rules.test.yaml',
]);
run('the unit’s exposure is at most 2.0', 'systemd-analyze', [
  'security',
  '--offline=true',
  '--threshold=20',
  unit,
]);
for (const script of scripts) run(`${script} is POSIX sh`, 'sh', ['-n', script]);
for (const script of scripts) run(`${script} has no pitfalls`, 'shellcheck', ['--shell=sh', script]);
run('the Dockerfile keeps the rules of hadolint', 'hadolint', ['Dockerfile']);
run('Compose reads deploy/compose.yaml', 'docker-compose', ['-f', 'deploy/compose.yaml', 'config', '-q']);
run('Kubernetes knows the manifests', 'kubeconform', ['-strict', '-summary', 'deploy/kubernetes']);
process.exitCode = findings === 0 ? 0 : 1;
