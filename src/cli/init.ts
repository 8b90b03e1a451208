/** `gatehouse init`: an installation from the repositories that an identity manager has today. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { readArguments, WrongUsage } from './arguments.ts';
import { planFor, type Plan, type Wishes } from './init-plan.ts';
import { readRepository } from './repository-csv.ts';

export const help = `usage: gatehouse init --from-csv FILE... --host NAME --out DIR [--port 443] [--caller sap-idm]

Reads the repositories of type SCIM that SAP Identity Management exports (or a tenant, for its proxy systems), and writes
into DIR, which must not exist:

  gatehouse.yaml      the configuration: the tenants, the systems, and one technical user
  repositories/*.csv  the same repositories with the gateway's address, to be imported again

Then it tells what is left to do by hand, and the way back. No password is taken over.

  --from-csv FILE  a repository; give it once for each
  --host NAME      under which the identity manager reaches the gateway
  --port PORT      of the gateway (443)
  --caller NAME    the technical user that the identity manager logs on with (sap-idm)

examples:
  gatehouse init --from-csv sac.csv --from-csv s4.csv --host gatehouse.dmz.example.com --out /etc/gatehouse

exit codes: 0 written, 1 not written (the reason is told), 4 wrong usage
`;

const options = {
  'from-csv': { type: 'string', multiple: true },
  host: { type: 'string' },
  out: { type: 'string' },
  port: { type: 'string', default: '443' },
  caller: { type: 'string', default: 'sap-idm' },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, options, help);
  if (!given) return 0;
  const { 'from-csv': files = [], host, out, port, caller } = given.values;
  if (files.length === 0) throw new WrongUsage('give a repository with --from-csv', help);
  if (host === undefined || !/^[a-z0-9.-]+$/i.test(host)) throw new WrongUsage('--host is a host name', help);
  if (out === undefined) throw new WrongUsage('give a directory with --out', help);
  if (!/^\d{1,5}$/.test(port)) throw new WrongUsage('--port is a number', help);
  const wishes = { host, port: Number(port), caller };
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const plan = planFor(
    texts.map((text, at) => readRepository(files[at] ?? '', text)),
    wishes,
  );
  await write(out, plan);
  process.stdout.write(stepsAfter(out, plan, wishes));
  return 0;
}

async function write(out: string, { files }: Plan): Promise<void> {
  // Nothing that is there is overwritten.
  await mkdir(dirname(out), { recursive: true });
  await mkdir(out, { mode: 0o750 });
  for (const sub of ['repositories', 'secrets', 'tls']) await mkdir(join(out, sub), { mode: 0o750 });
  for (const [path, content] of files) await writeFile(join(out, path), content, { mode: 0o640, flag: 'wx' });
}

function stepsAfter(out: string, { files, remarks, secretFiles }: Plan, { host, caller }: Wishes): string {
  const config = join(out, 'gatehouse.yaml');
  const written = [...files.keys()].map((path) => `  ${join(out, path)}\n`).join('');
  const noticed = remarks.map((remark) => `  ! ${remark}\n`).join('');
  const secrets = secretFiles.map((path) => join(out, path)).join(', ');
  return `Written:
${written}${noticed}
What is left:
  1. Put the secret that the gateway uses at the tenant into ${secrets} (mode 0400), and look
     at tenants.*.credential in ${config}.
  2. Put the listener's certificate and key for ${host} into ${join(out, 'tls')}.
  3. gatehouse check --config ${config}
  4. gatehouse doctor --config ${config}
  5. gatehouse secret new ${caller} --config ${config}   shows the secret once
  6. gatehouse start --config ${config}
  7. Let the Java of the identity manager trust the authority of the gateway's certificate:
     keytool -importcert -cacerts -alias gatehouse -file gatehouse-ca.crt
  8. Import ${join(out, 'repositories')}/*.csv into the identity manager, and enter the secret of step 5 as AUTH_PASSWORD.

The way back: import the repositories that you gave here again, with the credential that they had.
`;
}
