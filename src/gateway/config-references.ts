/**
 * What a configuration refers to instead of containing it: secrets and paths. A secret is never
 * written into the configuration itself, and its file is private to the account that runs the gateway.
 */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';

import { z } from 'zod';

import { refuse, type FaultSink } from './config-values.ts';
import { isOpenToOthers, ownAccount } from './private-file.ts';
import { Secret } from './secret.ts';

/** Where references lead: relative paths start at `directory`, `{ env: NAME }` looks into `env`. */
export interface References {
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  /** Told of every file whose content the configuration takes in. */
  readonly onFile?: (path: string) => void;
}

/** The absolute path of a file that is about to be read. */
export function locate({ directory, onFile }: References, file: string): string {
  const path = resolve(directory, file);
  onFile?.(path);
  return path;
}

/** Of what was read as a whole and keeps no path itself. Beside the values, so that they are what the file says. */
const filesBehind = new WeakMap<object, string>();

/** @returns the value, of which is known from now on that the file says it */
export function readFrom<Value extends object>(path: string, value: Value): Value {
  filesBehind.set(value, path);
  return value;
}

export function fileBehind(value: unknown): string | undefined {
  return Object(value) === value ? filesBehind.get(value as object) : undefined;
}

export const file = z.strictObject({
  file: z.string().min(1).describe('Path of the file.').meta({ title: 'path' }),
});
const reference = z.union([file, z.strictObject({ env: z.string().min(1) })]);
const howToRefer = 'write { file: path } or { env: NAME }';

const referenceJson = [
  {
    type: 'object',
    properties: {
      file: {
        type: 'string',
        description:
          'Path of a private file (mode 0400 or 0600; 0440 where Kubernetes or systemd hands it over).',
      },
    },
    required: ['file'],
    additionalProperties: false,
  },
  {
    type: 'object',
    properties: { env: { type: 'string', description: 'Name of an environment variable.' } },
    required: ['env'],
    additionalProperties: false,
  },
];

/** `{ file }` or `{ env }`; a program that builds a configuration in memory may give a `Secret`. */
export function secret(references: References) {
  return z
    .unknown()
    .meta({ title: 'reference', oneOf: referenceJson })
    .transform((value, ctx) => readSecret(value, references, ctx));
}

/** An address that may hold a password: then as a reference, otherwise as text. */
export function confidentialUrl(protocols: readonly string[], references: References) {
  const wanted = `must be an address that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`;
  return z
    .unknown()
    .meta({ title: 'address or reference', oneOf: [{ type: 'string' }, ...referenceJson] })
    .transform((value, ctx) => {
      const url = typeof value === 'string' ? new Secret(value) : readSecret(value, references, ctx);
      const parsed = URL.parse(url.reveal());
      if (typeof value === 'string' && parsed?.password)
        refuse(ctx, 'must not contain a password', `${howToRefer}, whose content is the whole address`);
      else if (url !== unreadable && !protocols.includes(parsed?.protocol ?? '')) refuse(ctx, wanted);
      return url;
    });
}

/** Stands for a secret that could not be read; the fault is reported and the configuration refused. */
export const unreadable = new Secret('');

function readSecret(value: unknown, references: References, ctx: FaultSink): Secret {
  if (value instanceof Secret) return value;
  const parsed = reference.safeParse(value);
  if (!parsed.success) {
    refuse(ctx, 'must be a reference to a secret, never the secret itself', howToRefer);
    return unreadable;
  }
  const { data } = parsed;
  const path = 'file' in data ? locate(references, data.file) : undefined;
  const text = 'env' in data ? readVariable(data.env, references, ctx) : path && readPrivateFile(path, ctx);
  if (text === undefined) return unreadable;
  // Editors and `echo` end a file with a line feed; everything else is kept exactly (RFC 7617 allows blanks).
  const found = text.replace(/\r?\n$/, '');
  if (isPlaceholder(found)) refuse(ctx, 'the secret is a placeholder or empty', 'put the real secret there');
  return new Secret(found, path);
}

function readVariable(variable: string, { env }: References, ctx: FaultSink): string | undefined {
  if (env[variable] === undefined)
    refuse(ctx, `the environment variable ${variable} is not set`, 'set it, or use { file: path }');
  return env[variable];
}

function readPrivateFile(path: string, ctx: FaultSink): string | undefined {
  return refuseOpenMode(path, ctx) ? undefined : readText(path, ctx);
}

export function readText(path: string, ctx: FaultSink): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    refuseUnread(path, error, ctx);
    return undefined;
  }
}

function refuseUnread(path: string, error: unknown, ctx: FaultSink): void {
  const problem = `cannot read ${path} (${reasonOf(error)})`;
  refuse(ctx, problem, 'create the file, or let the gateway’s account read it');
}

/**
 * Of what a link leads to. A file that does not exist is reported by whoever reads it.
 * @returns whether it was refused because a directory before it is closed to us
 */
function refuseOpenMode(path: string, ctx: FaultSink): boolean {
  let file;
  try {
    file = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    refuseUnread(path, error, ctx);
    return true;
  }
  const account = ownAccount();
  if (file && account && isOpenToOthers(file, account))
    refuse(ctx, `others can access ${path} (mode 0${(file.mode & 0o777).toString(8)})`, `chmod 0600 ${path}`);
  return false;
}

function isPlaceholder(text: string): boolean {
  const bare = text.trim().toLowerCase();
  return /^(|change[-_ ]?(me|it)|todo|secret|password|placeholder|example|x+|\*+|\.+|<.*>|\$\{.*\})$/.test(
    bare,
  );
}

/** A path, absolute in the result. */
export function path({ directory }: References) {
  return z
    .string()
    .min(1)
    .meta({ title: 'path' })
    .transform((text) => resolve(directory, text));
}

/** The path of a file that the gateway itself writes and reads; it may be missing, but not open to others. */
export function privatePath(references: References) {
  return path(references).superRefine((absolute, ctx) => void refuseOpenMode(absolute, ctx));
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
}
