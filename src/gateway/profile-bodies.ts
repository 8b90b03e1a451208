/**
 * Bodies and answers of callers with a profile. The body that goes up is the repaired one, and everything behind this point
 * sees it alone; its record holds the hash of the one that came as well.
 */
import { idOf, readListPage } from '../pages/list-page.ts';
import type { KnownIds } from '../profile/known-ids.ts';
import { membersIn, repairPatch } from '../profile/patch-spelling.ts';
import type { Quirk } from '../profile/quirks.ts';
import { checkWhole } from '../profile/unpaged-lists.ts';
import type { Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import { checkJson } from '../scim/json.ts';
import type { Operation } from '../scim/operation.ts';
import type { Asked, System } from './place.ts';
import { hasQuirk, type Meant, type ProfileParts } from './profiles.ts';

/** The body as its caller means it, within the limits that hold for every body. */
export async function repairBody(
  { quirks, habits }: ProfileParts,
  { caller, entry, limits }: Pick<Asked, 'caller' | 'entry'> & Pick<System, 'limits'>,
  { operation, repairs }: Meant,
  body: Buffer | undefined,
): Promise<Buffer | undefined> {
  const own = quirks.get(caller);
  if (!own || !body || operation.kind !== 'patch') return body;
  const { system, resourceType } = operation;
  const namesMembers = own.has('lower-case-ids') && resourceType === 'Groups';
  const repaired = repairPatch(body, {
    spelling: own.has('patch-spelling'),
    ...(namesMembers && { trueMember: await habits.ids.trueMembers(system, membersIn(body)) }),
  });
  if (repaired.body === body) return body;
  if (repaired.body.length > limits.maxBytes)
    throw new ScimError('too-large', `The body is larger than ${limits.maxBytes} bytes.`);
  checkJson(repaired.body, limits);
  const made: readonly Quirk[] = [
    ...repairs,
    ...(repaired.spelling ? (['patch-spelling'] as const) : []),
    ...(repaired.ids ? (['lower-case-ids'] as const) : []),
  ];
  entry.add({ repairs: [...new Set(made)], received: body });
  return repaired.body;
}

/**
 * Who asked for a collection without paging is told the whole of it, or nothing. Ids are learnt from what everybody is
 * told, because whoever writes them in another case has read them somewhere.
 */
export async function checkAnswer(
  { quirks, habits }: ProfileParts,
  { operation, repairs }: Pick<Meant, 'operation' | 'repairs'>,
  reply: Reply,
): Promise<Reply> {
  const mustBeWhole = repairs.includes('unpaged-lists') && reply.status === 200;
  const learns = hasQuirk(quirks, 'lower-case-ids');
  if (!mustBeWhole && !learns) return reply;
  const page = operation.kind === 'list' ? readListPage(reply) : undefined;
  if (mustBeWhole) checkWhole(page);
  if (learns) await learnIds(habits.ids, operation, page ? page.resources : [reply.body], reply.status);
  return reply;
}

async function learnIds(
  ids: KnownIds,
  { kind, system, resourceType }: Operation,
  resources: readonly Buffer[],
  status: number,
): Promise<void> {
  if (!['list', 'get', 'create'].includes(kind) || (status !== 200 && status !== 201)) return;
  await ids.learn(
    system,
    resourceType,
    resources.map(idOf).filter((id) => id !== undefined),
  );
}
