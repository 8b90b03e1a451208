/** `gatehouse start`: the gateway as a service. It ends in order on SIGTERM and SIGINT, with exit code 0. */
import { existsSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

import { addSecret, readSecrets, type Entries } from '../auth/secret-file.ts';
import { ConfigFaults } from '../gateway/config-faults.ts';
import { watchConfig } from '../gateway/config-watch.ts';
import { configFile, loadConfig, type Config } from '../gateway/config.ts';
import { FileWatch } from '../gateway/file-watch.ts';
import { requireFreePorts } from '../gateway/free-ports.ts';
import { createGateway, type Gateway, type GatewayOptions } from '../gateway/gateway.ts';
import { decidingFiles, warnOfOpenPlaces } from '../gateway/open-places.ts';
import { describeError, log } from '../log.ts';
import { version } from '../version.ts';
import { readArguments } from './arguments.ts';
import { startEmbedded } from './embedded.ts';
import { refusedToRoot, refuseRoot } from './root.ts';

export const help = `usage: gatehouse start [--config FILE] [--allow-root] [--accept-damaged]

Runs the gateway until SIGTERM or SIGINT, then lets the running calls finish and ends. SIGHUP makes it read the
configuration, the secrets and the listeners' certificates again, as it does when these files change.
The configuration is FILE, else the file that GATEHOUSE_CONFIG names, else config/gatehouse.yaml.
As root it starts only on a loopback address, unless --allow-root is given.
On an audit trail that was changed, or whose signing key is lost, it starts only with --accept-damaged; that is recorded,
and 'audit verify' tells it for good.
There is no --json: its log is JSON already, one object a line, warnings and errors on standard error. The secrets that a
first start shows are text between these lines; 'gatehouse secret new --json' gives one to a script.

examples:
  gatehouse start
  gatehouse start --config /etc/gatehouse/gatehouse.yaml

exit codes: 0 ended in order, 1 did not start or had to stop (the reason is told), 4 wrong usage
`;

export async function run(args: readonly string[]): Promise<number> {
  const options = {
    config: { type: 'string' },
    'allow-root': { type: 'boolean' },
    'accept-damaged': { type: 'boolean' },
  } as const;
  const given = readArguments(args, options, help);
  if (!given) return 0;
  const stop = Promise.withResolvers<{ signal?: string; fault?: unknown }>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.resolve({ signal }));
  // After a fault that nobody expected the state is unknown: what runs may finish, then a supervisor starts anew.
  let gateway: Gateway | undefined;
  process.on('uncaughtException', (fault) => {
    gateway?.reportFault(fault);
    stop.resolve({ fault });
  });
  // Node's own answer to it is an open debugger.
  process.on('SIGUSR1', () => log.warn('SIGUSR1 means nothing here'));
  writeNoReports();
  // While nothing can be read again, it must not end the process, which is what it does to those that do not listen.
  let readAgain = (): void => {};
  process.on('SIGHUP', () => readAgain());
  await using service = new AsyncDisposableStack();
  const secrets: Generated = { callers: new Map(), accounts: new Map() };
  try {
    const file = configFile(given.values.config);
    const files = new FileWatch();
    const config = loadConfig(file, process.env, (path) => files.add(path));
    if (!given.values['allow-root']) for (const [, host] of refusedToRoot(config)) refuseRoot(host);
    warnOfOpenPlaces(decidingFiles(config, files.paths));
    const options = { acceptDamaged: given.values['accept-damaged'] ?? false, files: () => files.paths };
    const started = await startService(config, service, secrets, options);
    gateway = started;
    const watch = service.use(
      watchConfig(file, files, (load, occasion) => {
        warnOfOpenPlaces(files.paths);
        return started.reconfigure(load, {
          occasion,
          file,
          uid: statSync(file, { throwIfNoEntry: false })?.uid,
        });
      }),
    );
    readAgain = () => void Promise.all([started.reload(), watch.reload('signal')]);
  } catch (error) {
    // Only their hashes are kept, so nobody would ever learn them.
    process.stdout.write(listSecrets(secrets));
    process.stderr.write(`gatehouse: ${reasonOf(error)}\n`);
    return 1;
  }
  const { signal, fault } = await stop.promise;
  if (fault === undefined) log.info('stopping', { signal });
  else log.error('stopping after a fault', describeError(fault));
  return fault === undefined ? 0 : 1;
}

/** Node's reports tell of environment and memory. That options ask for them is refused with the configuration. */
function writeNoReports(): void {
  const never = { reportOnFatalError: false, reportOnSignal: false, reportOnUncaughtException: false };
  Object.assign(process.report, { ...never, excludeEnv: true });
}

/** @param secrets gets those that were generated, in clear; they are never stored */
async function startService(
  config: Config,
  service: AsyncDisposableStack,
  secrets: Generated,
  options: Pick<GatewayOptions, 'acceptDamaged' | 'files'>,
): Promise<Gateway> {
  await prepareSecrets(config, secrets);
  const { upstreamsOf, tenants } = service.use(await startEmbedded(config));
  await requireFreePorts(config);
  const gateway = service.use(await createGateway(config, { ...options, version, upstreamsOf }));
  const ports = Object.fromEntries(gateway.ports);
  log.info('serving', { url: gateway.url, admin: gateway.adminUrl, ports, version });
  for (const [id, { url }] of tenants) log.info('embedded tenant', { tenant: id, url: url.origin });
  process.stdout.write(
    `${listSecrets(secrets, gateway.adminUrl)}${firstCall(secrets.callers, config, gateway)}`,
  );
  return gateway;
}

/** Secrets in clear, of technical users and of the console's local accounts. */
interface Generated {
  readonly callers: Map<string, string>;
  readonly accounts: Map<string, string>;
}

/** Generates what is missing, if the configuration wants that. */
async function prepareSecrets(
  { secretsFile, firstStart, callers, admin }: Config,
  secrets: Generated,
): Promise<void> {
  if (!firstStart.generateSecrets) {
    requireSecrets('secretsFile', secretsFile, callers, '');
    if (admin.console && Object.keys(admin.console.accounts).length > 0)
      requireSecrets(
        'admin.console.secretsFile',
        admin.console.secretsFile,
        admin.console.accounts,
        ' --console',
      );
    return;
  }
  await addMissing(secretsFile, Object.keys(callers), secrets.callers);
  if (admin.console)
    await addMissing(admin.console.secretsFile, Object.keys(admin.console.accounts), secrets.accounts);
}

/** Before a trail is begun that nobody would write on. */
function requireSecrets(key: string, file: string, users: object, option: string): void {
  const [user = '<user>'] = Object.keys(users);
  if (!existsSync(file))
    throw new Error(`${key} ${file} is missing: make it with 'gatehouse secret new ${user}${option}'`);
}

async function addMissing(
  file: string,
  names: readonly string[],
  secrets: Map<string, string>,
): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const present = await readSecrets(file).catch((error: NodeJS.ErrnoException): Entries => {
    if (error.code === 'ENOENT') return new Map();
    throw error;
  });
  for (const name of names) if (!present.has(name)) secrets.set(name, await addSecret(file, name));
}

function listSecrets({ callers, accounts }: Generated, adminUrl?: string): string {
  const place = adminUrl === undefined ? 'The console' : `The console at ${adminUrl}/console/`;
  return [
    tableOf(
      'Technical users and their secrets. They are shown this once; only their hashes are kept.',
      callers,
    ),
    tableOf(`${place} and its local accounts, shown this once as well.`, accounts),
  ].join('');
}

function tableOf(title: string, secrets: ReadonlyMap<string, string>): string {
  if (secrets.size === 0) return '';
  const rows = [...secrets].map(([name, value]) => `  ${name.padEnd(20)} ${value}`);
  return `\n${title}\n\n${rows.join('\n')}\n`;
}

function firstCall(secrets: ReadonlyMap<string, string>, { systems }: Config, { url }: Gateway): string {
  const [system = '<system>'] = Object.keys(systems);
  const [[user, secret] = ['', '']] = secrets;
  if (user === '') return '';
  return `
Try it:
  curl -u ${user}:${secret} '${url}/ipsproxy/service/api/v1/scim/${system}/Users?count=2'

`;
}

function reasonOf(error: unknown): string {
  if (error instanceof ConfigFaults) return error.message;
  if (!(error instanceof Error)) return 'did not start';
  const { code, path, syscall, port, address } = error as NodeJS.ErrnoException & {
    port?: number;
    address?: string;
  };
  if (code === 'EADDRINUSE' || (code === 'EACCES' && syscall === 'listen'))
    return `cannot listen on ${address}:${port} (${code}); free the port, or change listen, admin or tenants.<name>.embedded`;
  if (code === 'ENOENT' && path) return `${path} is missing`;
  return `did not start: ${error.message}`;
}
