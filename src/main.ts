/** The command line: finds the command, runs it, and ends with its exit code. */
import { WrongUsage } from './cli/arguments.ts';
import { ConfigFaults } from './gateway/config-faults.ts';
import { describeError, log } from './log.ts';
import { version } from './version.ts';

type Run = (args: readonly string[]) => Promise<number>;

interface Command {
  readonly says: string;
  readonly load: () => Promise<{ readonly run: Run }>;
}

const commands: Readonly<Record<string, Command>> = {
  start: { says: 'run the gateway', load: () => import('./cli/start.ts') },
  demo: {
    says: "play an identity manager's day against a gateway and an embedded tenant",
    load: () => import('./cli/demo.ts'),
  },
  init: {
    says: 'write an installation from the repositories of an identity manager',
    load: () => import('./cli/init.ts'),
  },
  check: { says: 'check the configuration and report every fault', load: () => import('./cli/check.ts') },
  doctor: {
    says: 'find the broken leg between this host and the tenants',
    load: () => import('./cli/doctor.ts'),
  },
  explain: {
    says: 'tell what became of a call, step by step',
    load: () => import('./cli/explain.ts'),
  },
  secret: { says: 'give a technical user a new secret', load: () => import('./cli/secret.ts') },
  guard: { says: 'what the guard holds back, and its release', load: () => import('./cli/guard.ts') },
  ips: { says: 'run the embedded tenant alone', load: () => import('./cli/ips.ts') },
  'idm-csv': {
    says: 'write the repository file for SAP Identity Management',
    load: () => import('./cli/idm-csv.ts'),
  },
  audit: {
    says: 'verify, search, report, prove and export the audit trail',
    load: () => import('./cli/audit.ts'),
  },
  witness: {
    says: "bear witness to gateways' audit trails, on another host",
    load: () => import('./cli/witness.ts'),
  },
  transform: {
    says: 'check and run Identity Provisioning transformations',
    load: () => import('./cli/transform.ts'),
  },
};

const width = Math.max(...Object.keys(commands).map((name) => name.length));
const overview = `Gatehouse: the proxy-mode gateway to SAP Cloud Identity Services - Identity Provisioning

usage: gatehouse <command> [options]

${Object.entries(commands)
  .map(([name, { says }]) => `  ${name.padEnd(width)}  ${says}`)
  .join('\n')}

'gatehouse <command> --help' explains one command with examples.
`;

/** Exit codes: 0 done, 1 a finding or a failure that is told, 4 wrong usage; commands may add their own. */
async function main([name = '--help', ...args]: readonly string[]): Promise<number> {
  if (name === '--version') {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview);
    return 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    process.stderr.write(`gatehouse: there is no command '${name}'\n\n${overview}`);
    return 4;
  }
  const { run } = await command.load();
  return run(args);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.exitCode = tell(error);
}

function tell(error: unknown): number {
  if (error instanceof WrongUsage || error instanceof ConfigFaults) {
    process.stderr.write(`${error.message}\n`);
    return error instanceof WrongUsage ? 4 : 1;
  }
  process.stderr.write(`gatehouse: ${error instanceof Error ? error.message : 'failed'}\n`);
  log.debug('ended by a fault', describeError(error));
  return 1;
}
