/**
 * What all readers of the trail have in common: directories as arguments, instants, the private key file, and how
 * damage and progress are told. What belongs to the result goes to standard output, all else to standard error.
 */
import { readFile } from 'node:fs/promises';

import type { Entry } from '../audit/entry.ts';
import { parsePeriodKey } from '../audit/period-file.ts';
import { keysUntil, type PeriodKey } from '../audit/period.ts';
import { NoTrail, openChains, readTrail, type Chain, type Damage, type Reading } from '../audit/read.ts';
import { Redactor } from '../audit/redact.ts';
import { readable, WrongUsage } from './arguments.ts';
import { durationIn } from './duration.ts';
import { startProgress } from './progress.ts';

export const mostDirectories = 1000;
/** The exit codes of the readers; `verify` has its own. */
export const exitCodes = { done: 0, finding: 1, damaged: 2 } as const;

export const timeHelp = `times: 2026-11-21, 2026-11-21T08:00, 2026-11-21T08:00:00.000Z (UTC where no offset is given), or 30s, 90m, 24h, 7d ago`;

const dayMs = 86_400_000;
const instant = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** @param end the last millisecond of a day that is named without a time */
export function timeIn(
  option: string,
  text: string | undefined,
  help: string,
  end = false,
): number | undefined {
  if (text === undefined) return undefined;
  const ago = durationIn(text);
  if (ago !== undefined) return Date.now() - ago;
  const [found, offset] = instant.exec(text) ?? [];
  const isDay = text.length === 10;
  const at = found === undefined ? Number.NaN : Date.parse(isDay || offset ? text : `${text}Z`);
  if (Number.isNaN(at)) throw new WrongUsage(`--${option} is no time; ${timeHelp}`, help);
  return isDay && end ? at + dayMs - 1 : at;
}

export async function chainsIn(directories: readonly string[], help: string): Promise<Chain[]> {
  try {
    return await openChains(directories);
  } catch (error) {
    if (error instanceof NoTrail) throw new WrongUsage(error.message, help);
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
    const path = error instanceof Error && 'path' in error ? String(error.path) : 'the trail';
    throw new WrongUsage(`${path} cannot be read${code}`, help);
  }
}

/** The key of the oldest period that can be read; the file is the gateway's `audit.periodKeyFile`. */
export async function periodKeyFrom(file: string, help: string): Promise<PeriodKey> {
  const key = parsePeriodKey(await contentOf(file, help));
  if (!key) throw new WrongUsage(`${file} does not hold the key of a period (audit.periodKeyFile)`, help);
  return key;
}

/** One for each period up to now, the oldest first: in each a text has another pseudonym. */
export async function redactorsFrom(file: string, help: string): Promise<Redactor[]> {
  return keysUntil(await periodKeyFrom(file, help), new Date()).map((key) => new Redactor(key));
}

export function contentOf(file: string, help: string): Promise<string> {
  return readable(file, help, () => readFile(file, 'utf8'));
}

export const pseudonymTypes = ['id', 'value', 'name'] as const;
export type PseudonymType = (typeof pseudonymTypes)[number];

export function pseudonymTypeIn(text: string, help: string): PseudonymType {
  const type = pseudonymTypes.find((known) => known === text);
  if (!type) throw new WrongUsage(`--type is one of ${pseudonymTypes.join(', ')}`, help);
  return type;
}

const mostTold = 20;

/** One pass through the trail: its entries, and afterwards whether it was damaged. */
export class Pass implements Disposable {
  readonly chains: readonly Chain[];
  readonly #reading: Reading;
  readonly #progress: ReturnType<typeof startProgress>;
  readonly damages: Damage[] = [];
  #damaged = 0;

  constructor(chains: readonly Chain[], range: Pick<Reading, 'from' | 'to'> = {}) {
    this.chains = chains;
    this.#progress = startProgress(chains.reduce((sum, { bytes }) => sum + bytes, 0));
    this.#reading = {
      ...range,
      onDamage: (damage) => this.#note(damage),
      onBytes: (bytes) => this.#progress.add(bytes),
    };
  }

  entries(): AsyncGenerator<Entry> {
    return readTrail(this.chains, this.#reading);
  }

  get reading(): Reading {
    return this.#reading;
  }

  /** Tells the damage on standard error. */
  exitCode(code: number): number {
    this[Symbol.dispose]();
    for (const { instance, file, reason } of this.damages)
      process.stderr.write(`! ${instance}/${file}: ${reason}\n`);
    if (this.#damaged > this.damages.length)
      process.stderr.write(`! and ${this.#damaged - this.damages.length} more\n`);
    if (this.#damaged > 0)
      process.stderr.write(
        `gatehouse: the trail is damaged or its end is missing, so something may not be shown; 'gatehouse audit verify' says more\n`,
      );
    return this.#damaged > 0 ? exitCodes.damaged : code;
  }

  [Symbol.dispose](): void {
    this.#progress.end();
  }

  #note(damage: Damage): void {
    this.#damaged += 1;
    if (this.damages.length < mostTold) this.damages.push(damage);
  }
}
