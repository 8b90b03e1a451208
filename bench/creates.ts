/** New users, each looked up before, as identity managers do. */
import { schemas } from '../src/scim/message.ts';
import type { Caller, Crew } from './caller.ts';

export async function createEach(crew: Crew, count: number): Promise<void> {
  const names = Array.from({ length: count }, (_, number) => `newcomer.${number}`);
  await crew.each(names, (caller, name) => caller.operation(() => create(caller, name)));
}

async function create(caller: Caller, userName: string): Promise<true | undefined> {
  const filter = encodeURIComponent(`userName eq "${userName}"`);
  const found = await caller.ask('GET', `/Users?filter=${filter}`);
  if (found?.status !== 200) return undefined;
  const user = {
    schemas: [schemas.user],
    userName,
    name: { givenName: 'New', familyName: 'Comer' },
    active: true,
  };
  const made = await caller.ask('POST', '/Users', user);
  // What exists at the second attempt is of the first, whose answer was lost.
  return (made && (made.status === 201 || (made.repeated && made.status === 409))) || undefined;
}
