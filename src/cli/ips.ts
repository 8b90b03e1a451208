/** `gatehouse ips`: the embedded tenant alone, as a counterpart to develop and rehearse against. */
import { once } from 'node:events';
import { resolve } from 'node:path';

import { loadTenantFile } from '../ips/tenant-file.ts';
import { startTenant } from '../ips/tenant.ts';
import { readArguments, WrongUsage } from './arguments.ts';

const help = `usage: gatehouse ips [--tenant FILE] [--port N]

Runs the embedded Identity Provisioning tenant until SIGTERM or SIGINT. FILE describes its technical users, systems,
limits and assumptions; it is config/tenant.yaml when left out. Generated secrets are shown once.

examples:
  gatehouse ips
  gatehouse ips --tenant rehearsal.yaml --port 8081

exit codes: 0 ended in order, 1 did not start (the reason is told), 4 wrong usage
`;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { tenant: { type: 'string' }, port: { type: 'string' } }, help);
  if (!given) return 0;
  if (given.values.port !== undefined && !/^\d{1,5}$/.test(given.values.port))
    throw new WrongUsage('--port takes a number', help);
  const { tenant: file = resolve(import.meta.dirname, '../../config/tenant.yaml'), port } = given.values;
  const { options, generated } = await loadTenantFile(file, process.env);
  const warn = (message: string): void => void process.stderr.write(`${message}\n`);
  await using tenant = await startTenant({
    ...options,
    ...(port !== undefined && { port: Number(port) }),
    warn,
  });
  const paths = options.systems.map(({ id }) => `${tenant.url.origin}/ipsproxy/service/api/v1/scim/${id}`);
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
