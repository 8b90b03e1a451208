/**
 * Where the guard stands in the line of a write: before it goes up. What takes away more than is usual is not sent, and what
 * the size of a group decides is asked of the tenant, never worked out.
 */
import { changesOf } from '../audit/change.ts';
import { ceilingOf, ceilingsFor, type Ceilings, type GuardSettings } from '../guard/ceiling.ts';
import type { GroupSizes } from '../guard/group-sizes.ts';
import type { Admission, Counted, Guard } from '../guard/guard.ts';
import type { Holds } from '../guard/holds.ts';
import type { LoadGuard } from '../guard/load-guard.ts';
import type { LoadReports } from '../guard/load-reports.ts';
import { lossesOf, type Loss } from '../guard/loss.ts';
import type { Pseudonyms } from '../guard/running-load.ts';
import { itemsOf, membersOf, skipSpace } from '../pages/json-spans.ts';
import type { Reply } from '../scim/call.ts';
import { ScimError } from '../scim/error.ts';
import { folded } from '../scim/folded.ts';
import type { Operation } from '../scim/operation.ts';
import { noQuery } from '../scim/target.ts';
import type { Patience } from './ask.ts';
import { lookFor } from './own-calls.ts';
import type { Asked, System } from './place.ts';

/** What lives as long as the process. */
export interface Guarding {
  readonly guard: Guard;
  readonly holds: Holds;
  readonly loads: LoadGuard;
  readonly reports: LoadReports;
  readonly sizes: GroupSizes;
  readonly pseudonyms: () => Pseudonyms;
}

export interface GuardParts {
  readonly guarding: Guarding;
  readonly guardSettings: GuardSettings;
}

const mayLose: ReadonlySet<Operation['kind']> = new Set(['delete', 'replace', 'patch', 'bulk'] as const);

/** Sends a write once the guard has let it pass, and tells the guard what became of it. */
export async function guarded(
  { guarding, guardSettings }: GuardParts,
  system: System,
  asked: Asked,
  patience: Patience,
  send: () => Promise<Reply>,
): Promise<Reply> {
  const { operation, body, caller } = asked;
  if (!mayLose.has(operation.kind)) return send();
  const losses = lossesOf(operation, body ? changesOf(operation, body) : []);
  if (losses.length === 0) return send();
  const ceilings = ceilingsFor(guardSettings, caller, system.id, new Date());
  const counting = new Counting(guarding, ceilings, system, asked, patience);
  const counted = await counting.all(losses);
  const admission = await guarding.guard.admit(
    counted,
    (kind) => ceilingOf(kind, ceilings),
    guardSettings.window,
  );
  try {
    const reply = await settled(admission, send);
    await counting.learn(reply);
    return reply;
  } catch (thrown) {
    await counting.forget();
    throw thrown;
  }
}

/** What surely was not carried out was not lost. */
async function settled(admission: Admission, send: () => Promise<Reply>): Promise<Reply> {
  let isLost = true;
  try {
    const reply = await send();
    isLost = reply.status < 400;
    return reply;
  } catch (thrown) {
    isLost = !(thrown instanceof ScimError) || thrown.kind === 'outcome-unknown';
    throw thrown;
  } finally {
    await admission.settle(isLost);
  }
}

/** The losses of one call as numbers; a group is looked at once. */
class Counting {
  readonly #guarding: Guarding;
  readonly #ceilings: Ceilings;
  readonly #system: System;
  readonly #asked: Asked;
  readonly #patience: Patience;
  readonly #sizes = new Map<string, Promise<number | undefined>>();
  readonly #touched = new Set<string>();

  constructor(guarding: Guarding, ceilings: Ceilings, system: System, asked: Asked, patience: Patience) {
    this.#guarding = guarding;
    this.#ceilings = ceilings;
    this.#system = system;
    this.#asked = asked;
    this.#patience = patience;
  }

  async all(losses: readonly Loss[]): Promise<Counted[]> {
    const counted: Counted[] = [];
    for (const loss of losses) counted.push(await this.#count(loss));
    return counted;
  }

  /** What a write of one group brought back is the tenant's word on it; else nobody knows how many there are. */
  async learn(reply: Reply): Promise<void> {
    const [name, ...others] = this.#touched;
    const size = sizeIn(reply);
    // An answer without members may have left them out.
    if (name !== undefined && others.length === 0 && size) await this.#guarding.sizes.learn(name, size);
    else await this.forget();
  }

  async forget(): Promise<void> {
    for (const name of this.#touched) await this.#guarding.sizes.learn(name, undefined);
  }

  async #count({ kind, resourceType, group, amount, stay = 0 }: Loss): Promise<Counted> {
    const { caller, call } = this.#asked;
    const matter = { kind, caller, system: this.#system.id, resourceType, request: call.id };
    if (!group) {
      const loaded = { system: this.#system.id, resourceType };
      const base = async (): Promise<number | undefined> =>
        (await this.#guarding.reports.lastOf(loaded))?.count;
      return { ...matter, amount: amount ?? 0, base };
    }
    this.#touched.add(sizeName(this.#guarding, this.#system, group));
    const pseudonyms = this.#guarding.pseudonyms();
    const target = pseudonyms.of(group.id ?? '', pseudonyms.period);
    const base = (): Promise<number | undefined> => this.#sizeOf(group);
    const one = { ...matter, target, sameAs: folded(group.id ?? '') };
    if (amount !== undefined || this.#ceilings.shrinking.above === 'off')
      return { ...one, amount: amount ?? 0, base };
    return { ...one, amount: Math.max(0, ((await base()) ?? 0) - stay), base };
  }

  #sizeOf(group: Operation): Promise<number | undefined> {
    const name = sizeName(this.#guarding, this.#system, group);
    return this.#sizes.getOrInsertComputed(name, async () => {
      return (await this.#guarding.sizes.recall(name)) ?? (await this.#look(group));
    });
  }

  /** Undefined when there is no such group, which is the tenant's to say to the write. */
  async #look(group: Operation): Promise<number | undefined> {
    const { priority } = this.#asked.operation;
    const reply = await lookFor(
      'guard',
      this.#system.route,
      this.#asked,
      { ...group, kind: 'get', effect: 'read', query: noQuery, touches: [], priority },
      this.#patience,
    );
    if (reply.status === 404) return undefined;
    const size = sizeIn(reply);
    if (size === undefined)
      throw new ScimError(
        'upstream-broke',
        'How many members the group has could not be read, so nothing was sent.',
      );
    return size;
  }
}

/** Takes notice of a group that passes whole, as the tenant has it now. */
export async function learnSize(
  { guarding }: GuardParts,
  system: System,
  operation: Operation,
  reply: Reply,
): Promise<void> {
  const { kind, resourceType, query } = operation;
  if (kind !== 'get' || resourceType !== 'Groups' || query.canonical !== '') return;
  const size = sizeIn(reply);
  if (size !== undefined) await guarding.sizes.learn(sizeName(guarding, system, operation), size);
}

function sizeName({ holds }: Guarding, { id: system }: System, { resourceType, id }: Operation): string {
  return holds.nameOf({ kind: 'shrinking', caller: '', system, resourceType, sameAs: folded(id ?? '') });
}

/** Undefined for what is no resource. A group without `members` has none to show. */
function sizeIn({ status, body }: Reply): number | undefined {
  const start = skipSpace(body, 0);
  if (status !== 200 || body[start] !== 0x7b) return undefined;
  const members = membersOf(body, start).find(({ name }) => name === 'members');
  return members && body[members.start] === 0x5b ? itemsOf(body, members.start).length : 0;
}
