/** `gatehouse init`: an installation that takes the place of the tenants that an identity manager calls today. */
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { callerName } from '../gateway/config-callers.ts';
import { profileNames } from '../gateway/config-profiles.ts';
import { readable, readArguments, WrongUsage } from './arguments.ts';
import { consoleAccount, planFor, type Plan, type Wishes } from './init-plan.ts';
import { CannotPlan } from './init-tenants.ts';
import { readRepository, repositoryAt, type Repository } from './repository-csv.ts';

const profiles = profileNames().join(', ');

export const help = `usage: gatehouse init --from-csv FILE... --host NAME --out DIR [--port 443] [--profile NAME]
         [--caller NAME] [--data DIR] [--json]
       gatehouse init --from-url URL... --host NAME --out DIR [the same]

Reads the repositories of type SCIM that SAP Identity Management exports (or a tenant, for its proxy systems), or takes the
addresses that another identity manager calls, and writes into DIR, where none of these files may be yet:

  gatehouse.yaml      the configuration: the tenants, the systems, and one technical user with its profile
  repositories/*.csv  the repositories that were given with the gateway's address, to be imported again

Repositories that call the same host, port and path with the same user and proxy share a tenant; any other has its own, which is
told. Then it tells what is left to do by hand, and the way back. No password is taken over.

  --from-csv FILE  a repository; give it once for each
  --from-url URL   the address of a proxy system as the identity manager has it today; give it once for each; http://
                   is for a tenant on this machine, such as 'gatehouse ips'
  --host NAME      under which the identity manager reaches the gateway
  --port PORT      of the gateway, 1 to 65535 (443)
  --profile NAME   which identity manager it is, so that what it writes otherwise than it means is put right:
                   ${profiles}
                   (default: sap-idm with --from-csv, else generic, which repairs nothing)
  --caller NAME    the technical user that the identity manager logs on with (default: the profile's name, or
                   identity-manager)
  --json           {"written":[…],"remarks":[…],"secretFiles":[…],"systems":[…]}
  --data DIR       where the gateway keeps its trail, keys and hashes of secrets; /var/lib/gatehouse where it was
                   installed (default: var below the directory of --out)

examples:
  gatehouse init --from-csv sac.csv --from-csv s4.csv --host gatehouse.dmz.example.com --out gatehouse
  gatehouse init --from-csv sac.csv --host gatehouse.dmz.example.com --port 8443 --out /etc/gatehouse --data /var/lib/gatehouse
  gatehouse init --from-url https://acme.accounts.ondemand.com/ipsproxy/service/api/v1/scim/0b7c1c52-1f5e-4b4e-9f57-6a2f0d3c9a11 \\
    --profile omada --host gatehouse.dmz.example.com --out gatehouse

exit codes: 0 written, 1 not written (the reason is told), 4 wrong usage
`;

const options = {
  'from-csv': { type: 'string', multiple: true },
  'from-url': { type: 'string', multiple: true },
  host: { type: 'string' },
  out: { type: 'string' },
  port: { type: 'string', default: '443' },
  profile: { type: 'string' },
  caller: { type: 'string' },
  data: { type: 'string', default: 'var' },
  json: { type: 'boolean' },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help);
  if (!given) return 0;
  const { 'from-csv': files = [], 'from-url': addresses = [], host, out, port, data } = given.values;
  if (files.length + addresses.length === 0)
    throw new WrongUsage('give a repository with --from-csv, or an address with --from-url', help);
  if (host === undefined)
    throw new WrongUsage(
      '--host is needed: the name under which the identity manager reaches the gateway',
      help,
    );
  if (!/^[a-z0-9.-]+$/i.test(host)) throw new WrongUsage('--host is a host name', help);
  if (out === undefined) throw new WrongUsage('give a directory with --out', help);
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 65_535)
    throw new WrongUsage('--port is a number from 1 to 65535', help);
  const { profile = files.length > 0 ? 'sap-idm' : 'generic' } = given.values;
  if (!profileNames().includes(profile)) throw new WrongUsage(`--profile is one of: ${profiles}`, help);
  const { caller = profile === 'generic' ? 'identity-manager' : profile } = given.values;
  const named = callerName().safeParse(caller);
  if (named.error) throw new WrongUsage(`--caller ${named.error.issues[0]?.message}`, help);
  const wishes = { host, port: Number(port), caller, profile, data };
  const read = files.map(async (file) =>
    readRepository(file, await readable(file, help, () => readFile(file, 'utf8'))),
  );
  const plan = planFor([...(await Promise.all(read)), ...addresses.map(addressed)], wishes);
  await write(out, plan);
  const { files: written, remarks, secretFiles, systems } = plan;
  const told = { written: [...written.keys()].map((path) => join(out, path)), remarks, secretFiles, systems };
  process.stdout.write(given.values.json ? `${JSON.stringify(told)}\n` : stepsAfter(out, plan, wishes));
  return 0;
}

function addressed(address: string): Repository {
  const repository = repositoryAt(address);
  if (!repository)
    throw new WrongUsage(
      '--from-url is an address that begins with https://, or with http:// on this machine',
      help,
    );
  return repository;
}

/** Nothing that is there is overwritten: all of it is written, or nothing. */
async function write(out: string, { files }: Plan): Promise<void> {
  for (const path of files.keys())
    if (existsSync(join(out, path)))
      throw new CannotPlan(`${join(out, path)} is there already; move it away first`);
  await mkdir(out, { recursive: true, mode: 0o750 });
  const { gid } = await stat(out);
  // Root writes for the account that the installer has let into the directory.
  const handOver = async (path: string): Promise<void> => {
    if (process.getuid?.() === 0) await chown(path, 0, gid);
  };
  for (const sub of ['repositories', 'secrets', 'tls']) {
    const made = await mkdir(join(out, sub), { recursive: true, mode: 0o750 });
    if (made !== undefined) await handOver(made);
  }
  for (const [path, content] of files) {
    const file = join(out, path);
    await writeFile(file, content, { mode: 0o640, flag: 'wx' });
    await handOver(file);
  }
}

function stepsAfter(out: string, { files, remarks, secretFiles }: Plan, wishes: Wishes): string {
  const { host, caller, profile } = wishes;
  const config = join(out, 'gatehouse.yaml');
  const written = [...files.keys()].map((path) => `  ${join(out, path)}\n`).join('');
  const noticed = remarks.map((remark) => `  ! ${remark}\n`).join('');
  const secrets = secretFiles.map((path) => join(out, path)).join(', ');
  return `Written:
${written}${noticed}
The technical user ${caller} has the profile ${profile}; another one: --profile, or callers.${caller}.profile.

What is left:
  1. Put the secret that the gateway uses at the tenant into ${secrets} (mode 0400), and
     its client id or user into tenants.*.credential of ${config}.
  2. Put the listener's certificate and key for ${host} into ${join(out, 'tls')}.
  3. gatehouse check --config ${config}
  4. gatehouse doctor --config ${config}
  5. gatehouse secret new ${caller} --config ${config}   shows the secret once
  6. gatehouse secret new ${consoleAccount} --console --config ${config}   the same for the console's account
  7. gatehouse start --config ${config}; the console is then at
     http://127.0.0.1:9090/console/
${files.size > 1 ? importSteps(out) : addressSteps(wishes)}`;
}

function importSteps(out: string): string {
  return `  8. Let the Java of the identity manager trust the authority of the gateway's certificate:
     keytool -importcert -cacerts -alias gatehouse -file gatehouse-ca.crt
  9. Import ${join(out, 'repositories')}/*.csv into the identity manager, and enter the secret of step 5 as AUTH_PASSWORD.

The way back: import the repositories that you gave here again, with the credential that they had.
`;
}

function addressSteps({ host, port, caller }: Wishes): string {
  return `  8. Let the identity manager trust the authority of the gateway's certificate.
  9. In the address that it calls put ${host}${port === 443 ? '' : `:${port}`} in the place of the tenant's host, and let it log on
     as ${caller} with the secret of step 5.

The way back: the tenant's host again, with the credential that it had.
`;
}
