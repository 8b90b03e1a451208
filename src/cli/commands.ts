/** All commands by their names; each is loaded when it is run. */
export interface Command {
  readonly says: string;
  readonly load: () => Promise<{
    readonly help: string;
    readonly run: (args: readonly string[]) => Promise<number>;
    /** Those of a command that has commands of its own. */
    readonly commands?: Commands;
  }>;
}

export type Commands = Readonly<Record<string, Command>>;

export const commands: Commands = {
  start: { says: 'run the gateway', load: () => import('./start.ts') },
  demo: {
    says: "play an identity manager's day against a gateway and an embedded tenant",
    load: () => import('./demo.ts'),
  },
  init: {
    says: 'write an installation from the repositories of an identity manager',
    load: () => import('./init.ts'),
  },
  check: { says: 'check the configuration and report every fault', load: () => import('./check.ts') },
  doctor: {
    says: 'find the broken leg between this host and the tenants',
    load: () => import('./doctor.ts'),
  },
  explain: {
    says: 'tell what became of a call, step by step',
    load: () => import('./explain.ts'),
  },
  secret: { says: 'give a technical user a new secret', load: () => import('./secret.ts') },
  caller: { says: 'list the technical users and what each may do', load: () => import('./caller.ts') },
  cache: { says: 'let the gateway forget what it remembers of a system', load: () => import('./cache.ts') },
  tenant: { says: 'send nothing to a tenant for some time', load: () => import('./tenant.ts') },
  alert: { says: 'try whether alerts arrive', load: () => import('./alert.ts') },
  snapshot: { says: 'take a snapshot that became much smaller', load: () => import('./snapshot.ts') },
  guard: { says: 'what the guard holds back, and its release', load: () => import('./guard.ts') },
  ips: { says: 'run the embedded tenant alone', load: () => import('./ips.ts') },
  'idm-csv': {
    says: 'write the repository file for SAP Identity Management',
    load: () => import('./idm-csv.ts'),
  },
  audit: {
    says: 'verify, search, report, prove and export the audit trail',
    load: () => import('./audit.ts'),
  },
  bench: { says: 'measure what this machine and its disk carry', load: () => import('./bench.ts') },
  witness: {
    says: "bear witness to gateways' audit trails, on another host",
    load: () => import('./witness.ts'),
  },
  transform: {
    says: 'check and run Identity Provisioning transformations',
    load: () => import('./transform.ts'),
  },
  completion: { says: 'let the shell complete commands and options', load: () => import('./completion.ts') },
};

/** One line for each, as wide as the longest name needs. */
export function listed(some: Commands): string {
  const width = Math.max(...Object.keys(some).map((name) => name.length));
  return Object.entries(some)
    .map(([name, { says }]) => `  ${name.padEnd(width)}  ${says}`)
    .join('\n');
}
