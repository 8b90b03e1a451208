/**
 * `gatehouse check`: reads a configuration exactly as a start would and opens nothing. What it calls sound starts,
 * as far as the configuration can tell; everything else is listed with its remedy.
 */
import { parseArgs } from 'node:util';

import { ConfigFaults } from '../gateway/config-faults.ts';
import { configFile, loadConfig, type Config } from '../gateway/config.ts';

const help = `gatehouse check [--config FILE] [--json]

Reads the configuration as a start would, with the environment laid over it, and reports every fault.

  --config FILE  the configuration; default: $GATEHOUSE_CONFIG, then config/gatehouse.yaml
  --json         one JSON object instead of text
  --help         this text

Exit status: 0 the configuration is sound, 1 it has faults, 2 the command was not understood.
`;

const options = {
  config: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

export async function run(args: readonly string[]): Promise<number> {
  const given = readArguments(args);
  if (typeof given === 'string') {
    process.stderr.write(`${given}\n\n${help}`);
    return 2;
  }
  if (given.help) {
    process.stdout.write(help);
    return 0;
  }
  const { output, status } = judge(configFile(given.config), given.json);
  process.stdout.write(output);
  return status;
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    if (error instanceof TypeError) return error.message;
    throw error;
  }
}

function judge(file: string, asJson: boolean): { output: string; status: number } {
  try {
    const summary = summarise(loadConfig(file));
    const text = `${file}: the configuration is sound\n${summary.map((line) => `  ${line}\n`).join('')}`;
    return { output: asJson ? json({ file, sound: true, faults: [], summary }) : text, status: 0 };
  } catch (error) {
    if (!(error instanceof ConfigFaults)) throw error;
    const { faults } = error;
    const count = faults.length === 1 ? 'one fault' : `${faults.length} faults`;
    const lines = faults.map(({ path, problem, remedy }) => `  ${path}: ${problem}\n    remedy: ${remedy}\n`);
    const text = `${file}: ${count}\n${lines.join('')}`;
    return { output: asJson ? json({ file, sound: false, faults }) : text, status: 1 };
  }
}

function summarise({ listen, publicUrl, admin, tenants, systems, callers, cache, audit }: Config): string[] {
  return [
    `listens on ${listen.host}:${listen.port} (${listen.tls ? 'TLS' : 'plain HTTP'}), callers use ${publicUrl ?? 'that address'}`,
    `health and metrics on ${admin.host}:${admin.port}`,
    ...Object.values(tenants).map(
      ({ id, url, embedded, pace }) =>
        `tenant ${id}: ${url ?? `embedded on port ${embedded?.port}`}, ${pace.perMinute} calls per minute`,
    ),
    `systems: ${listing(systems)}`,
    `callers: ${listing(callers)}`,
    `cache: ${cache.store}`,
    `audit trail: ${audit.directory} (${audit.instance})`,
  ];
}

function listing(map: Readonly<Record<string, unknown>>): string {
  return Object.keys(map).join(', ') || 'none';
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
