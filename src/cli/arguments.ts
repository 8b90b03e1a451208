/** What all commands have in common: strict options, `--help`, and wrong usage as one error that main.ts tells. */
import { parseArgs, type ParseArgsConfig, type ParseArgsOptionsConfig } from 'node:util';

import { hint } from './nearest.ts';

export class WrongUsage extends Error {
  /** Without the help, for who reads JSON. */
  readonly problem: string;

  constructor(problem: string, help: string) {
    super(`gatehouse: ${problem}\n\n${help}`);
    this.name = 'WrongUsage';
    this.problem = problem;
  }
}

/** Undefined when the help was asked for and has been shown. */
export function readArguments<Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
  help: string,
  positionals = 0,
  mostPositionals = positionals,
) {
  const allOptions = { ...options, help: { type: 'boolean', short: 'h' } } as const;
  const parsed = parse({ args: [...args], options: allOptions, allowPositionals: mostPositionals > 0 }, help);
  if ('help' in parsed.values && parsed.values.help) {
    process.stdout.write(help);
    return undefined;
  }
  const { length } = parsed.positionals;
  if (length < positionals || length > mostPositionals)
    throw new WrongUsage('wrong number of arguments', help);
  return parsed;
}

/** Before words are counted: a verb that is missing or mistyped is told as that. */
export function requireVerb([first]: readonly string[], verbs: readonly string[], help: string): void {
  if (first !== undefined && (first.startsWith('-') || verbs.includes(first))) return;
  const known = verbs.length === 1 ? `the verb is ${verbs[0]}` : `the verbs are ${verbs.join(', ')}`;
  if (first === undefined) throw new WrongUsage(known, help);
  throw new WrongUsage(`there is no verb '${first}' here; ${known}.${hint(first, verbs)}`, help);
}

function parse<Config extends ParseArgsConfig>(
  config: Config,
  help: string,
): ReturnType<typeof parseArgs<Config>> {
  try {
    return parseArgs(config);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const [, unknown] = /^Unknown option '(-[^']*)'/.exec(error.message) ?? [];
    if (unknown === undefined) throw new WrongUsage(error.message, help);
    const known = Object.keys(config.options ?? {}).map((name) => `--${name}`);
    throw new WrongUsage(`there is no option '${unknown}' here.${hint(unknown, known)}`, help);
  }
}

/** Reads what the arguments name. What cannot be read is wrong usage, in words of ours instead of the file system's. */
export async function readable<T>(path: string, help: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    const place = 'path' in error ? String(error.path) : path;
    throw new WrongUsage(`${place} cannot be read (${String(error.code)})`, help);
  }
}
