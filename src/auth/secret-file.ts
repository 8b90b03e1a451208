/**
 * The file of hashes: YAML, technical user → at most two entries, so that a secret can be rotated without a gap.
 * It is replaced as a whole and by rename, so a reader never sees half of it.
 */
import { randomUUID } from 'node:crypto';
import { open, readFile, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

import { parseDocument } from 'yaml';
import { z } from 'zod';

import { generateSecret, hashSecret, isSecretHash } from './secret.ts';

const maxEntries = 2;
/** Failsafe: every scalar is a string, so a user named 1234 or `true` stays what is written. */
const yamlOptions = { schema: 'failsafe', prettyErrors: false } as const;

/** An instant and no day, because nobody could say in which time zone the day ends. */
const instant = z.string().transform((text, ctx) => {
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at))
    ctx.addIssue({ code: 'custom', message: 'must be an instant such as 2027-01-31T12:00:00Z' });
  return at;
});
const wrongHash = 'must be a hash as `gatehouse secret` makes it';
const entry = z.strictObject({
  hash: z.string().refine(isSecretHash, wrongHash),
  note: z.string().optional(),
  /** From then on the secret is refused. */
  notAfter: instant.optional(),
});
const fromMap = (value: unknown): unknown => (value instanceof Map ? Object.fromEntries(value) : value);
const book = z.map(z.string().min(1), z.array(z.preprocess(fromMap, entry)).min(1).max(maxEntries));

/** User → its entries; a Map, because a user may be named `__proto__`. */
export type Entries = ReadonlyMap<string, readonly z.infer<typeof entry>[]>;

export async function readSecrets(file: string): Promise<Entries> {
  return parseSecrets(await readFile(file, 'utf8'));
}

export function parseSecrets(text: string): Entries {
  const parsed = book.safeParse(parseYaml(text));
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`The file of secrets is not valid: ${faults.join('; ')}`);
}

/** Throws without the parser's own message, which quotes the file. */
function parseYaml(text: string): unknown {
  const document = parseDocument(text, yamlOptions);
  const [fault] = document.errors;
  if (fault) throw new Error(`The file of secrets is not valid YAML: ${fault.code} at ${fault.pos[0]}.`);
  if (document.contents === null) return new Map();
  try {
    return document.toJS({ mapAsMap: true, maxAliasCount: 0 });
  } catch {
    throw new Error('The file of secrets is not valid YAML for us: it has an alias.');
  }
}

/** When the last secret of each user ends: one that ends before another is no end of his log-on. */
export function endsOf(entries: Entries): { readonly user: string; readonly notAfter: number }[] {
  return [...entries]
    .map(([user, all]) => ({ user, notAfter: Math.max(...all.map(endOf)) }))
    .filter(({ notAfter }) => notAfter < Infinity);
}

const endOf = ({ notAfter = Infinity }: z.infer<typeof entry>): number => notAfter;

/**
 * Gives the user one more secret and returns it in clear, the only time that anybody sees it. What has ended goes.
 * @param notAfter when it ends, in milliseconds since 1970; never, if it is left out
 */
export function addSecret(file: string, user: string, notAfter?: number): Promise<string> {
  return add(file, user, Infinity, notAfter);
}

/**
 * As `addSecret`, and lets the one that was there end.
 * @param oldEnds when the secret that was there ends, unless it ends before
 */
export function rotateSecret(
  file: string,
  user: string,
  oldEnds: number,
  notAfter?: number,
): Promise<string> {
  return add(file, user, oldEnds, notAfter);
}

/** As a document and not as values, so that comments stay. */
async function add(file: string, user: string, oldEnds: number, notAfter?: number): Promise<string> {
  const text = await readIfThere(file);
  const document = parseDocument(text, yamlOptions);
  const entries = parseSecrets(text).get(user) ?? [];
  const now = Date.now();
  const good = entries.map(endOf).filter((end) => end > now);
  if (good.length >= maxEntries) throw new Error(tooMany(file, user, Math.min(...good)));
  // From the last one, so that the places of the others stay.
  for (const [at, end] of [...entries.map(endOf).entries()].toReversed()) {
    if (end <= now) document.deleteIn([user, at]);
    else if (oldEnds < end) document.setIn([user, at, 'notAfter'], instantOf(oldEnds));
  }
  const secret = generateSecret();
  const added = {
    hash: await hashSecret(secret),
    note: `since ${new Date().toISOString().slice(0, 10)}`,
    ...(notAfter !== undefined && { notAfter: instantOf(notAfter) }),
  };
  if (good.length > 0) document.addIn([user], document.createNode(added));
  else document.set(user, document.createNode([added]));
  await replaceFile(file, String(document));
  return secret;
}

function tooMany(file: string, user: string, firstEnd: number): string {
  const until = firstEnd < Infinity ? `, one of them until ${instantOf(firstEnd)}` : '';
  return `${user} has ${maxEntries} secrets already${until}; remove one from ${file}, the older one stands first.`;
}

const instantOf = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

async function replaceFile(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeDurably(draft, text);
    await rename(draft, file);
  } catch (error) {
    await unlink(draft).catch(() => {}); // the first error is the one to tell; the draft may not even exist
    throw error;
  }
  await using directory = await open(dirname(file), 'r');
  await directory.sync();
}

async function writeDurably(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'wx', 0o600);
  await handle.writeFile(text);
  await handle.sync();
}
