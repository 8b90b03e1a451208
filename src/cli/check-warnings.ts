/**
 * What `gatehouse check` warns of in a configuration that would start: the dangers that the console's page shows as well, what
 * ends soon, and who else could change the file. A danger is added to the page's list (src/gateway/security-checks.ts), never here.
 */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';

import { endsOf, readSecrets, type Entries } from '../auth/secret-file.ts';
import type { Fault } from '../gateway/config-faults.ts';
import type { Config } from '../gateway/config.ts';
import { endsIn, secretEnds, warningsOf, whenItEnds, type Warning } from '../gateway/expiry.ts';
import { listenersOf } from '../gateway/listener.ts';
import { settingChecks } from '../gateway/security-checks.ts';
import { periodFault } from '../gateway/tls-reload.ts';

export async function warningsAbout(file: string, config: Config): Promise<Fault[]> {
  const secrets = await secretsIn(config);
  const dangers = settingChecks(config).filter(({ state }) => state === 'danger');
  return [
    ...(await openToOthers(file)),
    ...dangers.map(({ setting, id, detail, remedy = '' }) => ({
      path: setting ?? id,
      problem: detail,
      remedy,
    })),
    ...withoutLogOn(config, secrets),
    ...warningsOf([...endsIn(config), ...secretEnds(endsOf(secrets))], Date.now()).map(described),
  ];
}

/** A gateway starts with it, and a reload would not take it: nobody who verifies certificates would come in. */
export function endedAtListeners(config: Config): Fault[] {
  return listenersOf(config).flatMap(([place, { tls }]) => {
    const problem = tls && periodFault(tls.certificate.text);
    if (problem === undefined) return [];
    return [{ path: `${place}.tls.certificate`, problem, remedy: 'give one that is valid today' }];
  });
}

/** Whoever writes it can give himself every permission, and send a tenant's secret to a host of his own. */
async function openToOthers(file: string): Promise<Fault[]> {
  const problem = 'Others can write it, and with it every permission and the address of every tenant.';
  const [own, around] = await Promise.all([stat(file), stat(dirname(file))]);
  const others = 0o002;
  const sticky = 0o1000;
  return [
    ...((own.mode & others) !== 0 ? [{ path: file, problem, remedy: 'chmod o-w it.' }] : []),
    ...((around.mode & (others | sticky)) === others
      ? [
          {
            path: dirname(file),
            problem: 'Others can replace the configuration in it.',
            remedy: 'chmod o-w it.',
          },
        ]
      : []),
  ];
}

function secretsIn({ secretsFile }: Config): Promise<Entries> {
  return readSecrets(secretsFile).catch((error: NodeJS.ErrnoException): Entries => {
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
