/**
 * Users that must be switched off while loads run: a reader of all pages and sixteen workers that read single users, which
 * nothing remembers yet.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { schemas } from '../src/scim/message.ts';
import { gather, type Caller, type Crew } from './caller.ts';
import { load } from './reads.ts';
import type { Way } from './way.ts';

/** In the tenant's seconds. */
export interface Urgency {
  /** Until the tenant had carried out the one; absent when it never did. */
  readonly one?: number;
  /** Until it had carried out the last of all. */
  readonly all?: number;
}

/** Long enough for the loads to have used up what was saved of the quota. */
const headStartSeconds = 20;

export async function switchOffDuringLoads(
  way: Way,
  crew: Crew,
  {
    readOnly,
    one,
    many,
  }: { readonly readOnly: readonly string[]; readonly one: string; readonly many: readonly string[] },
): Promise<Urgency> {
  using loads = runLoads(way, readOnly);
  const seconds = (ms: number): number => (ms * way.factor) / 1000;
  const pause = (length: number): Promise<void> => sleep((length * 1000) / way.factor);
  const switchOff = (caller: Caller, id: string) => caller.operation(() => deactivate(caller, id));
  await pause(headStartSeconds);
  const oneAt = Date.now();
  await switchOff(crew.first, one);
  await pause(headStartSeconds);
  const manyAt = Date.now();
  await crew.each(many, switchOff);
  await loads.end();
  const [oneDone] = await way.tenant.ask('switchedOffAt', [one]);
  const manyDone = await way.tenant.ask('switchedOffAt', many);
  const isWhole = manyDone.every((at) => at !== undefined);
  return {
    ...(oneDone !== undefined && { one: seconds(oneDone - oneAt) }),
    ...(isWhole && { all: seconds(Math.max(...manyDone) - manyAt) }),
  };
}

async function deactivate(caller: Caller, id: string): Promise<true | undefined> {
  const Operations = [{ op: 'replace', path: 'active', value: false }];
  const answer = await caller.ask('PATCH', `/Users/${id}`, { schemas: [schemas.patchOp], Operations });
  return (answer && answer.status < 300) || undefined;
}

/** @returns with `end`, which waits for the calls that are under way */
function runLoads(way: Way, ids: readonly string[]): Disposable & { end(): Promise<void> } {
  const crew = gather(way);
  let isOver = false;
  const goesOn = (): boolean => !isOver;
  const readers = crew.each(endless(ids, goesOn), (caller, id) => caller.get(`/Users/${id}`));
  const pages = (async () => {
    while (goesOn()) await load(crew.first, 'Users', goesOn);
  })();
  return {
    end: async () => {
      isOver = true;
      await Promise.all([readers, pages]);
    },
    [Symbol.dispose]: () => {
      isOver = true;
      crew[Symbol.dispose]();
    },
  };
}

function* endless<T>(values: readonly T[], goesOn: () => boolean): Generator<T> {
  while (true)
    for (const value of values) {
      if (!goesOn()) return;
      yield value;
    }
}
