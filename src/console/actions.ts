/**
 * What operators do to a running gateway. Invariant: who does it and why is on stable storage before it is done; where it
 * cannot be recorded, nothing is done.
 */
import { z } from 'zod';

import type { ActionReply } from './api/parties.ts';
import { Refusal } from './refusal.ts';
import { whoIs, type Session } from './sessions.ts';
import type { ConsoleState, TargetKind } from './state.ts';

export interface ActionsOptions {
  readonly state: ConsoleState;
  /** One durable record; rejects where it is not on stable storage. */
  readonly note: (event: string, facts: Record<string, unknown>) => Promise<void>;
}

/** What somebody wants to act on, and the body that says why. */
export interface Wanted {
  readonly target: string;
  readonly body: () => Promise<unknown>;
}

const reasonSchema = z.strictObject({ reason: z.string().trim().min(3).max(500) });
const pauseSchema = reasonSchema.extend({ minutes: z.int().min(1).max(1440) });
const releaseSchema = (most: number) => pauseSchema.extend({ count: z.int().min(1).max(most) });

export class Actions {
  readonly #options: ActionsOptions;

  constructor(options: ActionsOptions) {
    this.#options = options;
  }

  forget(who: Session, wanted: Wanted): Promise<ActionReply> {
    const { state } = this.#options;
    return this.#act(who, 'forget', 'system', reasonSchema, wanted, (system) => state.forget(system));
  }

  pause(who: Session, wanted: Wanted): Promise<ActionReply> {
    const { state } = this.#options;
    return this.#act(who, 'pause', 'tenant', pauseSchema, wanted, (tenant, given) =>
      state.pause(tenant, { ...given, by: who.name }),
    );
  }

  resume(who: Session, wanted: Wanted): Promise<ActionReply> {
    const { state } = this.#options;
    return this.#act(who, 'resume', 'tenant', reasonSchema, wanted, (tenant) => state.resume(tenant));
  }

  release(who: Session, wanted: Wanted): Promise<ActionReply> {
    const { state } = this.#options;
    const schema = releaseSchema(state.held(wanted.target) ?? 1);
    return this.#act(who, 'release', 'hold', schema, wanted, (hold, given) =>
      state.release(hold, { ...given, user: who.name }),
    );
  }

  testAlert(who: Session, wanted: Wanted): Promise<ActionReply> {
    const { state } = this.#options;
    return this.#act(who, 'test-alert', 'channel', reasonSchema, wanted, async (channel) => {
      const tried = await state.tryChannel(channel);
      if (tried && !tried.taken) throw new Refusal(503, 'not-taken', tried.says);
      return tried?.says;
    });
  }

  async #act<Given extends Readonly<Record<string, unknown>>>(
    who: Session,
    action: string,
    kind: TargetKind,
    schema: z.ZodType<Given>,
    { target, body }: Wanted,
    work: (target: string, given: Given) => Promise<string | undefined>,
  ): Promise<ActionReply> {
    const { state, note } = this.#options;
    if (!state.knows(kind, target)) throw new Refusal(404, 'not-found', `There is no such ${kind}.`);
    const given = schema.safeParse(await body()).data;
    if (!given)
      throw new Refusal(
        400,
        'bad-request',
        'A reason of 3 to 500 characters is wanted, and figures within their bounds.',
      );
    try {
      await note('console.acted', { ...whoIs(who), action, [kind]: target, ...given });
    } catch (cause) {
      throw new Refusal(503, 'unavailable', 'It cannot be recorded, so it is not done.', { cause });
    }
    const done = await work(target, given);
    if (done === undefined) throw new Refusal(404, 'not-found', `There is no such ${kind}.`);
    return { done };
  }
}
