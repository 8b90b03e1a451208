/**
 * The one error of a configuration: every fault with its place and what to do. A fault names keys, paths and
 * files, never the value of a secret.
 */
import type { z } from 'zod';

export interface Fault {
  /** Dotted path of the key, such as `tenants.acme.url`; or the variable or file that is at fault. */
  readonly path: string;
  readonly problem: string;
  readonly remedy: string;
}

export class ConfigFaults extends Error {
  readonly file: string;
  readonly faults: readonly Fault[];

  constructor(file: string, faults: readonly Fault[]) {
    super(`${file} is not sound:\n${faults.map(describeFault).join('\n')}`);
    this.name = 'ConfigFaults';
    this.file = file;
    this.faults = faults;
  }
}

export function describeFault({ path, problem, remedy }: Fault): string {
  return `${path}: ${problem} → ${remedy}`;
}

const seeReference = 'see docs/configuration.md';

/** One fault for each thing that the schema found; several when one finding names several keys. */
export function faultsOf(issue: z.core.$ZodIssue): Fault[] {
  const path = issue.path.map(String).join('.');
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        path: path ? `${path}.${key}` : key,
        problem: 'is not a key of the configuration',
        remedy: `remove it or correct its spelling; ${seeReference}`,
      }));
    case 'invalid_key':
      return [{ path, problem: issue.issues[0]?.message ?? issue.message, remedy: 'rename the entry' }];
    case 'invalid_type':
      if (issue.input === undefined && issue.message.startsWith('Invalid input'))
        return [{ path, problem: 'is missing', remedy: `add it; ${seeReference}` }];
      break;
    case 'custom':
      return [
        { path, problem: issue.message, remedy: String(issue.params?.['remedy'] ?? 'correct the value') },
      ];
    default:
  }
  return [
    {
      path,
      problem: issue.message.replace(/^Invalid (input|option): /, ''),
      remedy: `correct the value; ${seeReference}`,
    },
  ];
}
