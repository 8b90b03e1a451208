/** Many members added to one group, each by a call of its own, in both ways that identity managers have. */
import { schemas } from '../src/scim/message.ts';
import { repeats, type Caller, type Crew } from './caller.ts';

interface Group {
  readonly members?: readonly { readonly value: string }[];
}

export type Addition = (caller: Caller, group: string, user: string) => Promise<true | undefined>;

export const byPatch: Addition = async (caller, group, user) => {
  const Operations = [{ op: 'add', path: 'members', value: [{ value: user }] }];
  const answer = await caller.ask('PATCH', `/Groups/${group}`, { schemas: [schemas.patchOp], Operations });
  return (answer && answer.status < 300) || undefined;
};

/** Read, change, write back; whoever is told of a conflict reads again, as often as he repeats anything. */
export const byReplacing: Addition = async (caller, group, user) => {
  for (let attempt = 0; attempt <= repeats; attempt += 1) {
    const read = await caller.ask('GET', `/Groups/${group}`);
    if (read?.status !== 200) return undefined;
    const { members = [], ...rest }: Group = JSON.parse(read.body);
    const whole = { ...rest, members: [...members, { value: user }] };
    const written = await caller.ask('PUT', `/Groups/${group}`, whole);
    if (written?.status !== 409) return (written && written.status < 300) || undefined;
  }
  return undefined;
};

/** @returns who was added, by the answers that the callers got */
export async function addEach(
  crew: Crew,
  group: string,
  users: readonly string[],
  add: Addition,
): Promise<string[]> {
  const added: string[] = [];
  await crew.each(users, async (caller, user) => {
    if (await caller.operation(() => add(caller, group, user))) added.push(user);
  });
  return added;
}
