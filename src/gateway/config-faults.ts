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
  return `  ${path}: ${problem}\n    remedy: ${remedy}`;
}

const explained = 'docs/configuration.md explains the key';

/** What a key wants, in an operator's words. */
const wanted: Readonly<Record<string, string>> = {
  object: 'must be a map of keys',
  record: 'must be a map of keys',
  array: 'must be a list',
  number: 'must be a number',
  int: 'must be a whole number',
  boolean: 'must be true or false',
  string: 'must be text',
};

/** One fault for each thing that the schema found; several when one finding names several keys. */
export function faultsOf(issue: z.core.$ZodIssue): Fault[] {
  const path = issue.path.map(String).join('.') || '(the whole file)';
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      path: [...issue.path, key].map(String).join('.'),
      problem: 'is not a key of the configuration',
      remedy: 'remove it or correct its spelling; docs/configuration.md lists all keys',
    }));
  if (issue.code === 'invalid_key')
    return [{ path, problem: issue.issues[0]?.message ?? issue.message, remedy: 'rename the entry' }];
  if (issue.code === 'custom') {
    const remedy: unknown = issue.params?.['remedy'];
    return [{ path, problem: issue.message, remedy: typeof remedy === 'string' ? remedy : explained }];
  }
  if (isMissing(issue)) return [{ path, problem: 'is missing', remedy: `add it; ${explained}` }];
  return [{ path, problem: problemOf(issue), remedy: `correct it; ${explained}` }];
}

function isMissing({ code, input, path }: z.core.$ZodIssue): boolean {
  // A union that is told apart by a key names that key in its path but has the whole map as its input.
  if (code === 'invalid_union' && typeof input === 'object' && input !== null)
    return !((path.at(-1) ?? '') in input);
  return input === undefined;
}

function problemOf(issue: z.core.$ZodIssue): string {
  // Messages of our own schemas are already in their final words; zod's begin with a capital letter.
  if (/^[a-z]/.test(issue.message)) return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return wanted[issue.expected] ?? issue.message;
    case 'invalid_value':
      return `must be one of: ${issue.values.join(', ')}`;
    case 'invalid_union':
      return 'options' in issue && Array.isArray(issue.options)
        ? `must be one of: ${issue.options.join(', ')}`
        : issue.message;
    case 'too_small':
      return issue.origin === 'number' || issue.origin === 'int'
        ? `must be at least ${issue.minimum}`
        : 'must not be empty';
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}
