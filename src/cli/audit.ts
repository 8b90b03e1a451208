/** `gatehouse audit`: finds the subcommand. Each needs only the trail's files, never a running gateway. */
import { WrongUsage } from './arguments.ts';
import { listed, type Commands } from './commands.ts';
import { hint } from './nearest.ts';

export const commands: Commands = {
  verify: {
    says: 'was a line changed, taken out, added or moved?',
    load: () => import('./audit-verify.ts'),
  },
  expire: {
    says: 'remove segments whose time is over, with a trace',
    load: () => import('./audit-expire.ts'),
  },
  key: { says: 'the public keys that an auditor and a witness keep', load: () => import('./audit-key.ts') },
  search: {
    says: 'find records by time, caller, system, outcome, person …',
    load: () => import('./audit-search.ts'),
  },
  tail: { says: 'the last records, and those that come', load: () => import('./audit-tail.ts') },
  export: { says: 'the trail as OCSF, ECS, CEF or CSV', load: () => import('./audit-export.ts') },
  'open-intents': {
    says: 'upstream calls of which nobody knows what became',
    load: () => import('./audit-open-intents.ts'),
  },
  worklist: {
    says: 'writes that failed or stayed unknown, and that nobody has made up for',
    load: () => import('./audit-worklist.ts'),
  },
  loads: { says: 'what loads brought, and who was missing', load: () => import('./audit-loads.ts') },
  report: { says: 'a period on a few pages, as HTML or CSV', load: () => import('./audit-report.ts') },
  prove: {
    says: 'one record, and the proof that it stands in the trail',
    load: () => import('./audit-prove.ts'),
  },
  'check-proof': {
    says: 'is a proof right? needs only the public key',
    load: () => import('./audit-check-proof.ts'),
  },
  hash: { says: 'the pseudonym of a text, to look for a person', load: () => import('./audit-hash.ts') },
  reveal: { says: 'who stands behind pseudonyms; registered', load: () => import('./audit-reveal.ts') },
  erase: { says: 'make past quarters unreadable for good', load: () => import('./audit-erase.ts') },
  'new-key': { says: 'a key to reveal with, or one for periods', load: () => import('./audit-new-key.ts') },
};

export const help = `usage: gatehouse audit <subcommand> [options]

${listed(commands)}

'gatehouse audit <subcommand> --help' explains one of them with examples.

examples:
  gatehouse audit verify var/audit --local-only
  gatehouse audit search var/audit --from 24h --status 5xx

exit codes: those of the subcommand; 4 wrong usage
`;

export async function run([name = '', ...args]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h') {
    process.stdout.write(help);
    return 0;
  }
  const subcommand = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!subcommand)
    throw new WrongUsage(
      name === ''
        ? 'audit needs a subcommand'
        : `there is no command 'audit ${name}'.${hint(name, Object.keys(commands))}`,
      help,
    );
  const { run: runSubcommand } = await subcommand.load();
  return runSubcommand(args);
}
