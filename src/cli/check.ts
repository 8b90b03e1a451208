/**
 * `gatehouse check`: reads a configuration exactly as a start would and opens nothing. What it calls sound starts,
 * as far as the configuration can tell; everything else is listed with its remedy, and so is what is dangerous or ends soon.
 */
import { ConfigFaults, describeFault } from '../gateway/config-faults.ts';
import { configFile, loadConfig, type Config } from '../gateway/config.ts';
import { readArguments } from './arguments.ts';
import { endedAtListeners, outOfReach, warningsAbout } from './check-warnings.ts';

export const help = `usage: gatehouse check [--config FILE] [--json]

Reads the configuration as a start would, with the environment laid over it, and reports every fault. It warns of what is
dangerous, as the console's page Security does, of a file that others can write, of what root must not serve where root
checks, of technical users and accounts of the console that cannot log on, and of certificates, revocation lists and secrets
that end within 30 days. A listener's certificate that has ended is a fault.
The configuration is FILE, else the file that GATEHOUSE_CONFIG names, else config/gatehouse.yaml.
With --json the answer is {"file":…,"sound":true,"faults":[],"warnings":[…],"summary":[…]}, or {"file":…,"sound":false,
"faults":[…]}; faults and warnings are {"path":…,"problem":…,"remedy":…}.

examples:
  gatehouse check
  gatehouse check --config /etc/gatehouse/gatehouse.yaml --json

exit codes: 0 the configuration is sound, be there warnings or not, 1 it has faults, 4 wrong usage
`;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args, { config: { type: 'string' }, json: { type: 'boolean' } }, help);
  if (!given) return 0;
  const { output, status } = await judge(configFile(given.values.config), given.values.json ?? false);
  process.stdout.write(output);
  return status;
}

async function judge(file: string, asJson: boolean): Promise<{ output: string; status: number }> {
  try {
    const files: string[] = [];
    const config = loadConfig(file, process.env, (path) => files.push(path));
    const further = [...endedAtListeners(config), ...outOfReach(config)];
    if (further.length > 0) throw new ConfigFaults(file, further);
    const summary = summarise(config);
    const warnings = await warningsAbout(files, config);
    const lines = [
      ...summary.map((line) => `  ${line}\n`),
      ...warnings.map((warning) => `  warning: ${describeFault(warning).trimStart()}\n`),
    ];
    const text = `${file}: the configuration is sound\n${lines.join('')}`;
    return { output: asJson ? json({ file, sound: true, faults: [], warnings, summary }) : text, status: 0 };
  } catch (error) {
    if (!(error instanceof ConfigFaults)) throw error;
    const { faults } = error;
    const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
    const lines = faults.map((fault) => `${describeFault(fault)}\n`);
    const text = `${file}: ${count}\n${lines.join('')}`;
    return { output: asJson ? json({ file, sound: false, faults }) : text, status: 1 };
  }
}

function summarise({
  listen,
  publicUrl,
  admin,
  tenants,
  systems,
  callers,
  cache,
  audit,
  alerts,
}: Config): string[] {
  return [
    `listens on ${listen.host}:${listen.port} (${listen.tls ? 'TLS' : 'plain HTTP'}), callers use ${publicUrl ?? 'that address'}`,
    `health on ${admin.host}:${admin.port}`,
    ...Object.values(tenants).map(
      ({ id, url, embedded, pace }) =>
        `tenant ${id}: ${url ?? `embedded on port ${embedded?.port}`}, ${pace.perMinute} calls per minute`,
    ),
    `systems: ${listing(systems)}`,
    `callers: ${listing(callers)}`,
    `cache: ${cache.store}`,
    `audit trail: ${audit.directory} (${audit.instance})`,
    `delivered to: ${deliveredTo(audit)}`,
    `alerts go to: ${alertedBy(alerts)}`,
  ];
}

function deliveredTo({ destinations }: Config['audit']): string {
  return (
    Object.entries(destinations)
      .map(([name, { type, format }]) => `${name} (${type}, ${format})`)
      .join(', ') || 'nobody: what leaves this host is up to you'
  );
}

function alertedBy({ channels }: Config['alerts']): string {
  return (
    Object.entries(channels)
      .map(([name, { type, least }]) => `${name} (${type}, ${least})`)
      .join(', ') || 'nobody'
  );
}

function listing(map: Readonly<Record<string, unknown>>): string {
  return Object.keys(map).join(', ') || 'none';
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
