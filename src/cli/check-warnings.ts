/**
 * What `gatehouse check` warns of in a configuration that would start: the dangers that the console's page shows as well, what
 * ends soon, and who else could change the file. A danger is added to the page's list (src/gateway/security-checks.ts), never here.
 */
import { accessSync, constants } from 'node:fs';

import { endsOf, readSecrets, type Entries } from '../auth/secret-file.ts';
import type { Fault } from '../gateway/config-faults.ts';
import type { Config } from '../gateway/config.ts';
import { endsIn, secretEnds, warningsOf, whenItEnds, type Warning } from '../gateway/expiry.ts';
import { listenersOf } from '../gateway/listener.ts';
import { decidingFiles, openPlaces } from '../gateway/open-places.ts';
import { settingChecks } from '../gateway/security-checks.ts';
import { fileChecks } from '../gateway/security-process.ts';
import { periodFault } from '../gateway/tls-reload.ts';
import { refusedToRoot } from './root.ts';

/** @param files that were read for it */
export async function warningsAbout(files: Iterable<string>, config: Config): Promise<Fault[]> {
  const { console } = config.admin;
  const secrets = await secretsIn(config.secretsFile);
  const accountSecrets = console ? await secretsIn(console.secretsFile) : secrets;
  const open = openPlaces(decidingFiles(config, files));
  const dangers = [...fileChecks(open), ...settingChecks(config)].filter(({ state }) => state === 'danger');
  return [
    ...dangers.map(({ setting, id, values, detail, remedy = '' }) => ({
      path: setting ?? values['path'] ?? id,
      problem: detail,
      remedy,
    })),
    ...servedByRoot(config),
    ...withoutLogOn(config, secrets),
    ...accountsWithoutLogOn(config, accountSecrets),
    ...warningsOf([...endsIn(config), ...secretEnds(endsOf(secrets))], Date.now()).map(described),
  ];
}

/** @param uid of the account that checks, which may not be the one that starts */
export function servedByRoot(config: Config, uid?: number): Fault[] {
  return refusedToRoot(config, uid).map(([path, host]) => ({
    path,
    problem: `A start as root is refused: root must not serve ${host}.`,
    remedy:
      'Start it as an account without rights, and check it as that account; or start it with --allow-root.',
  }));
}

/** A gateway starts with it, and a reload would not take it: nobody who verifies certificates would come in. */
export function endedAtListeners(config: Config): Fault[] {
  return listenersOf(config).flatMap(([place, { tls }]) => {
    const problem = tls && periodFault(tls.certificate.text);
    if (problem === undefined) return [];
    return [{ path: `${place}.tls.certificate`, problem, remedy: 'give one that is valid today' }];
  });
}

/** Files that the gateway itself writes and reads, which may be missing; a start would end on them. */
export function outOfReach({ secretsFile, audit, admin }: Config): Fault[] {
  const { console } = admin;
  const files = { secretsFile, 'audit.keyFile': audit.keyFile };
  const all = { ...files, ...(console && { 'admin.console.secretsFile': console.secretsFile }) };
  return Object.entries(all).flatMap(([path, file]) => {
    const code = whyNotRead(file);
    if (code === undefined) return [];
    const remedy = 'let the gateway’s account read it, and into the directories that lead there';
    return [{ path, problem: `cannot read ${file} (${code})`, remedy }];
  });
}

function whyNotRead(file: string): string | undefined {
  try {
    accessSync(file, constants.R_OK);
    return undefined;
  } catch (error) {
    const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
    // Nobody has made it yet.
    return code === 'ENOENT' ? undefined : code;
  }
}

function secretsIn(file: string): Promise<Entries> {
  return readSecrets(file).catch((error: NodeJS.ErrnoException): Entries => {
    // Nobody has made it yet.
    if (error.code === 'ENOENT') return new Map();
    throw error;
  });
}

/** Nobody's calls would come in by their name; a first start may still give them a secret. */
function withoutLogOn({ callers, oauth, firstStart }: Config, secrets: Entries): Fault[] {
  if (firstStart.generateSecrets) return [];
  const byToken = new Set(Object.values(oauth.issuers).flatMap((issuer) => Object.values(issuer.callers)));
  return Object.values(callers)
    .filter(({ name, certificates }) => !secrets.has(name) && certificates.length === 0 && !byToken.has(name))
    .map(({ name }) => ({
      path: `callers.${name}`,
      problem: 'It cannot log on: it has no secret, no certificate and no issuer of tokens.',
      remedy: `'gatehouse secret new ${name}' gives it a secret.`,
    }));
}

/** Of the console; without a file of their secrets the gateway does not start. */
function accountsWithoutLogOn({ admin, firstStart }: Config, secrets: Entries): Fault[] {
  if (firstStart.generateSecrets) return [];
  return Object.keys(admin.console?.accounts ?? {})
    .filter((account) => !secrets.has(account))
    .map((account) => ({
      path: `admin.console.accounts.${account}`,
      problem: 'It cannot log on: it has no secret.',
      remedy: `'gatehouse secret new ${account} --console' gives it a secret.`,
    }));
}

function described(warning: Warning): Fault {
  const { kind, what, subject } = warning;
  const when = whenItEnds(warning);
  if (kind === 'secret')
    return {
      path: 'secretsFile',
      problem: `A secret of ${what} ${when}`,
      remedy: `'gatehouse secret rotate ${what}' gives another one; then change the caller.`,
    };
  const remedy = 'Renew it; a file that changes is read again by itself.';
  return { path: what, problem: `${subject === undefined ? 'It' : subject} ${when}`, remedy };
}
