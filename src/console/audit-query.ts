/**
 * What an auditor asks, read from an address and written into the trail. Invariant: what somebody typed freely is recorded
 * as a pseudonym, because a name may stand in any field; what the configuration or the trail's own words name stands in clear.
 */
import { isIP } from 'node:net';

import { z } from 'zod';

import { isStatus } from '../audit/query.ts';
import type { AuditQuery } from './api/trail.ts';
import { Refusal } from './refusal.ts';

const text = z.string().min(1).max(256);
const word = z.string().regex(/^[\w.*:-]{1,100}$/);
const instant = z.iso.datetime({ offset: true });
const pseudonym = z.string().regex(/^p\d{4}q[1-4]:[\w-]{22}$/);

const querySchema = z.strictObject({
  from: instant.optional(),
  to: instant.optional(),
  caller: text.optional(),
  system: text.optional(),
  tenant: text.optional(),
  kind: word.optional(),
  effect: z.enum(['read', 'write']).optional(),
  resourceType: text.optional(),
  outcome: z.enum(['answered', 'refused', 'failed', 'unknown']).optional(),
  result: word.optional(),
  error: word.optional(),
  status: z.string().refine(isStatus).optional(),
  address: text.optional(),
  request: text.optional(),
  event: word.optional(),
  pseudonym: z.array(pseudonym).min(1).max(500).optional(),
  instance: z.array(text).min(1).max(100).optional(),
});

const lists: ReadonlySet<string> = new Set(['pseudonym', 'instance']);

/** Also what else an address may say. */
export function readQuery<Shape extends z.ZodRawShape>(
  params: URLSearchParams,
  further: Shape,
): { readonly query: AuditQuery; readonly further: z.output<z.ZodObject<Shape>> } {
  const given: Record<string, unknown> = {};
  for (const name of new Set(params.keys())) {
    const values = params.getAll(name);
    given[name] = lists.has(name) ? values : values.length === 1 ? values[0] : values;
  }
  const own = Object.fromEntries(Object.entries(given).filter(([name]) => !(name in further)));
  const others = Object.fromEntries(Object.entries(given).filter(([name]) => name in further));
  const query = querySchema.safeParse(own);
  const rest = z.strictObject(further).safeParse(others);
  const issues = [...(query.error?.issues ?? []), ...(rest.error?.issues ?? [])];
  if (!query.data || !rest.data) throw wrong(issues);
  return { query: query.data as AuditQuery, further: rest.data };
}

/** Names fields and quotes nothing. */
function wrong(issues: readonly z.core.$ZodIssue[]): Refusal {
  const names = issues.map(({ path, code }) => (path.length > 0 ? path.join('.') : code));
  return new Refusal(
    400,
    'bad-request',
    `The question is not understood: ${[...new Set(names)].join(', ')}.`,
  );
}

/** Criteria whose values are words of ours, instants or pseudonyms already. */
const plain: ReadonlySet<string> = new Set(
  'from to kind effect outcome result error status event pseudonym'.split(' '),
);

/**
 * @param isKnown whether a value is a name of the configuration or of a replica
 * @param pseudonymOf for everything else
 */
export async function recordedQuery(
  query: AuditQuery,
  isKnown: (value: string) => boolean,
  pseudonymOf: (value: string) => Promise<string>,
): Promise<Record<string, unknown>> {
  const shown = async (value: string): Promise<string> =>
    isKnown(value) || isIP(value) !== 0 ? value : pseudonymOf(value);
  const recorded: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(query) as [string, string | readonly string[]][]) {
    if (plain.has(name)) recorded[name] = value;
    else
      recorded[name] = typeof value === 'string' ? await shown(value) : await Promise.all(value.map(shown));
  }
  return recorded;
}
