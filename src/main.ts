/** The command line: finds the command, runs it, and ends with its exit code. */
import { WrongUsage } from './cli/arguments.ts';
import { commands, listed } from './cli/commands.ts';
import { hint } from './cli/nearest.ts';
import { ConfigFaults } from './gateway/config-faults.ts';
import { describeError, log } from './log.ts';
import { version } from './version.ts';

const overview = `Gatehouse: the proxy-mode gateway to SAP Cloud Identity Services - Identity Provisioning

usage: gatehouse <command> [options]

${listed(commands)}

'gatehouse <command> --help' explains one command with examples. Whatever answers a question takes --json: its answer is then
JSON on standard output, of the shape that its help tells, and a failure {"error":"…"}. The exit code is the same.
`;

/** Exit codes: 0 done, 1 a finding or a failure that is told, 4 wrong usage; commands may add their own. */
async function main([name = '--help', ...args]: readonly string[]): Promise<number> {
  if (name === '--version') {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  if (name === 'help' && args.length > 0) return main([...args, '--help']);
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview);
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    const meant = hint(name, Object.keys(commands));
    process.stderr.write(`gatehouse: there is no command '${name}'.${meant}\n\n${overview}`);
    return 4;
  }
  const { run } = await command.load();
  return run(args);
}

// Whoever reads may have had enough (`| head`); the command goes on to its end and its exit code.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = tell(error);
}

function tell(error: unknown): number {
  if (process.argv.includes('--json'))
    process.stdout.write(`${JSON.stringify({ error: reasonOf(error) })}\n`);
  if (error instanceof WrongUsage || error instanceof ConfigFaults) {
    process.stderr.write(`${error.message}\n`);
    return error instanceof WrongUsage ? 4 : 1;
  }
  process.stderr.write(`gatehouse: ${reasonOf(error)}\n`);
  log.debug('ended by a fault', describeError(error));
  return 1;
}

function reasonOf(error: unknown): string {
  if (error instanceof WrongUsage) return error.problem;
  return error instanceof Error ? error.message : 'failed';
}
