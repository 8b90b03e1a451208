/** `gatehouse init`: an installation from the repositories that an identity manager has today. */
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { readArguments, WrongUsage } from './arguments.ts';
import { CannotPlan, consoleAccount, planFor, type Plan, type Wishes } from './init-plan.ts';
import { readRepository } from './repository-csv.ts';

export const help = `usage: gatehouse init --from-csv FILE... --host NAME --out DIR [--port 443] [--json]
         [--caller sap-idm] [--data DIR]

Reads the repositories of type SCIM that SAP Identity Management exports (or a tenant, for its proxy systems), and writes
into DIR, where none of these files may be yet:

  gatehouse.yaml      the configuration: the tenants, the systems, and one technical user
  repositories/*.csv  the same repositories with the gateway's address, to be imported again

Then it tells what is left to do by hand, and the way back. No password is taken over.

  --from-csv FILE  a repository; give it once for each
  --host NAME      under which the identity manager reaches the gateway
  --port PORT      of the gateway (443)
  --caller NAME    the technical user that the identity manager logs on with (sap-idm)
  --data DIR       where the gateway keeps its trail, keys and hashes of secrets; /var/lib/gatehouse where it was
                   installed (default: var below the directory of --out)

examples:
  gatehouse init --from-csv sac.csv --from-csv s4.csv --host gatehouse.dmz.example.com --out gatehouse
  gatehouse init --from-csv sac.csv --host gatehouse.dmz.example.com --port 8443 --out /etc/gatehouse --data /var/lib/gatehouse

exit codes: 0 written, 1 not written (the reason is told), 4 wrong usage
`;

const options = {
  'from-csv': { type: 'string', multiple: true },
  host: { type: 'string' },
  out: { type: 'string' },
  port: { type: 'string', default: '443' },
  caller: { type: 'string', default: 'sap-idm' },
  data: { type: 'string', default: 'var' },
  json: { type: 'boolean' },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help);
  if (!given) return 0;
  const { 'from-csv': files = [], host, out, port, caller, data } = given.values;
  if (files.length === 0) throw new WrongUsage('give a repository with --from-csv', help);
  if (host === undefined || !/^[a-z0-9.-]+$/i.test(host)) throw new WrongUsage('--host is a host name', help);
  if (out === undefined) throw new WrongUsage('give a directory with --out', help);
  if (!/^\d{1,5}$/.test(port)) throw new WrongUsage('--port is a number', help);
  const wishes = { host, port: Number(port), caller, data };
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const plan = planFor(
    texts.map((text, at) => readRepository(files[at] ?? '', text)),
    wishes,
  );
  await write(out, plan);
  const { files: written, remarks, secretFiles, systems } = plan;
  const told = { written: [...written.keys()].map((path) => join(out, path)), remarks, secretFiles, systems };
  process.stdout.write(given.values.json ? `${JSON.stringify(told)}\n` : stepsAfter(out, plan, wishes));
  return 0;
}

/** Nothing that is there is overwritten: all of it is written, or nothing. */
async function write(out: string, { files }: Plan): Promise<void> {
  for (const path of files.keys())
    if (existsSync(join(out, path)))
      throw new CannotPlan(`${join(out, path)} is there already; move it away first`);
  for (const sub of ['.', 'repositories', 'secrets', 'tls'])
    await mkdir(join(out, sub), { recursive: true, mode: 0o750 });
  const { gid } = await stat(out);
  for (const [path, content] of files) {
    const file = join(out, path);
    await writeFile(file, content, { mode: 0o640, flag: 'wx' });
    // Root writes for the account that the installer has let into the directory.
    if (process.getuid?.() === 0) await chown(file, 0, gid);
  }
}

function stepsAfter(out: string, { files, remarks, secretFiles }: Plan, { host, caller }: Wishes): string {
  const config = join(out, 'gatehouse.yaml');
  const written = [...files.keys()].map((path) => `  ${join(out, path)}\n`).join('');
  const noticed = remarks.map((remark) => `  ! ${remark}\n`).join('');
  const secrets = secretFiles.map((path) => join(out, path)).join(', ');
  return `Written:
${written}${noticed}
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
  8. Let the Java of the identity manager trust the authority of the gateway's certificate:
     keytool -importcert -cacerts -alias gatehouse -file gatehouse-ca.crt
  9. Import ${join(out, 'repositories')}/*.csv into the identity manager, and enter the secret of step 5 as AUTH_PASSWORD.

The way back: import the repositories that you gave here again, with the credential that they had.
`;
}
