/** `gatehouse ips`: the embedded tenant alone, as a counterpart to develop and rehearse against. */
import { once } from 'node:events';
import { resolve } from 'node:path';

import { exportSystem } from '../ips/system-json.ts';
import type { SystemOptions } from '../ips/system.ts';
import { loadTenantFile } from '../ips/tenant-file.ts';
import { startTenant } from '../ips/tenant.ts';
import { readable, readArguments, WrongUsage } from './arguments.ts';
import { runJob } from './ips-job.ts';

export const help = `usage: gatehouse ips [--tenant FILE] [--port N] [--users N]
       gatehouse ips job <READ|RESYNC|SIMULATE> --source <id> [--scheduled] [--at URL] [--json]
       gatehouse ips export --system <id> [--tenant FILE]

Without a verb: runs the embedded Identity Provisioning tenant until SIGTERM or SIGINT. FILE describes its technical
users, systems, limits and assumptions; it is config/tenant.yaml when left out. Generated secrets are shown once.

job     runs a job of a source system in a tenant that runs on this machine, and tells what became of the entities
export  writes a system as Identity Provisioning exports it: JSON with properties and transformations, no credentials

  --users N     that many users, up to 100000, in the first directory that is generated
  --at URL      where the tenant runs; http://127.0.0.1:8081 when left out
  --scheduled   as the schedule would start the job: delta reads are counted, full reads forced
  --json        {"type":…,"id":…,"status":…,"readMode":…,"error":…,"statistics":{…}} of the job

examples:
  gatehouse ips
  gatehouse ips --tenant rehearsal.yaml --port 8081
  gatehouse ips --users 100000
  gatehouse ips job SIMULATE --source 7b6a5c4d-3e2f-4a1b-8c9d-0e1f2a3b4c5d
  gatehouse ips export --system c3b1a0d9-4e5f-4f60-8a7b-9c0d1e2f3a04 > erp.json

exit codes: 0 ended in order, 1 did not start, the job finished with an error, or nothing was written (the reason is
told), 4 wrong usage
`;

const delivered = resolve(import.meta.dirname, '../../config/tenant.yaml');

export async function run(args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args;
  if (verb === 'job') return await runJob(rest, help);
  if (verb === 'export') return await writeSystem(rest);
  return await serve(args);
}

async function writeSystem(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { system: { type: 'string' }, tenant: { type: 'string' } }, help);
  if (!given) return 0;
  const { system: id, tenant: file } = given.values;
  const { options } = await tenantIn(file);
  const system = options.systems.find((candidate) => candidate.id === id);
  const known = options.systems.map((candidate) => candidate.id).join(', ');
  if (!system) throw new Error(`name a system of the description: ${known}`);
  process.stdout.write(exportSystem(system, 'embedded'));
  return 0;
}

function tenantIn(file = delivered): ReturnType<typeof loadTenantFile> {
  return readable(file, help, () => loadTenantFile(file, process.env));
}

const serving = { tenant: { type: 'string' }, port: { type: 'string' }, users: { type: 'string' } } as const;

async function serve(args: readonly string[]): Promise<number> {
  const given = readArguments(args, serving, help);
  if (!given) return 0;
  const port = numberIn('port', given.values.port, 65_535);
  const users = numberIn('users', given.values.users, 100_000);
  const { options, generated } = await tenantIn(given.values.tenant);
  const warn = (message: string): void => void process.stderr.write(`${message}\n`);
  await using tenant = await startTenant({
    ...options,
    systems: users === undefined ? options.systems : scaled(options.systems, users),
    ...(port !== undefined && { port }),
    warn,
  });
  const paths = options.systems
    .filter(({ role = 'proxy' }) => role === 'proxy')
    .map(({ id }) => `${tenant.url.origin}/ipsproxy/service/api/v1/scim/${id}`);
  const secrets = generated.map(({ clientId, secret }) => `  ${clientId}  ${secret}`);
  const parts = [
    `The tenant is at ${tenant.url.origin}. Its proxy systems:\n\n  ${paths.join('\n  ')}`,
    ...(secrets.length > 0
      ? [`Technical users and their secrets, shown this once:\n\n${secrets.join('\n')}`]
      : []),
  ];
  process.stdout.write(`${parts.join('\n\n')}\n`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  return 0;
}

function numberIn(option: string, text: string | undefined, most: number): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,6}$/.test(text) || Number(text) > most)
    throw new WrongUsage(`--${option} takes a number up to ${most}`, help);
  return Number(text);
}

/** One directory is scaled, not all of them: whoever loads a hundred thousand users loads them from one system. */
function scaled(systems: readonly SystemOptions[], users: number): SystemOptions[] {
  const first = systems.find(({ backend }) => backend?.kind === 'directory');
  if (!first) throw new Error('the description has no generated directory to scale');
  return systems.map((system) =>
    system === first && system.backend?.kind === 'directory'
      ? { ...system, backend: { ...system.backend, users } }
      : system,
  );
}
