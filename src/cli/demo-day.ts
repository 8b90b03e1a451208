/**
 * An identity manager's day in acts. Each act does its work through the gateway and checks what must hold;
 * nothing is asserted that was not seen in an answer or in the tenant's own figures.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import type { Tenant } from '../ips/tenant.ts';
import { schemas } from '../scim/message.ts';
import { IdentityManager, type Resource } from './identity-manager.ts';

export interface Stage {
  readonly manager: IdentityManager;
  /** May only read. */
  readonly auditor: IdentityManager;
  readonly stranger: IdentityManager;
  readonly tenant: Tenant;
  /** Tells how far the act is. */
  readonly progress: (text: string) => void;
  readonly check: (what: string, holds: boolean) => void;
}

export interface Act {
  readonly title: string;
  readonly play: (stage: Stage) => Promise<void>;
}

export const day: readonly Act[] = [
  { title: 'Initial load, default page size', play: initialLoad },
  { title: 'Second load', play: secondLoad },
  { title: 'Joiners', play: joiners },
  { title: 'Movers', play: movers },
  { title: 'Assign and revoke by PATCH', play: assignByPatch },
  { title: 'Assign and revoke by PUT', play: assignByPut },
  { title: 'Disable and delete', play: leavers },
  { title: 'Wrong password', play: wrongPassword },
  { title: 'Forbidden write', play: forbiddenWrite },
  { title: 'Burst beyond the quota', play: burst },
  { title: 'Tenant away', play: outage },
  { title: 'Evening load', play: eveningLoad },
];

const users = 1000;
const groups = 50;

async function initialLoad({ manager, progress, check }: Stage): Promise<void> {
  const loadedGroups = await manager.load('Groups', (n) => progress(`${n} of ${groups} groups`));
  const loadedUsers = await manager.load('Users', (n) => progress(`${n} of ${users} users`));
  check(`${users} users and ${groups} groups arrived`, loadedUsers === users && loadedGroups === groups);
}

async function secondLoad({ manager, tenant, progress, check }: Stage): Promise<void> {
  const before = tenant.figures.calls;
  await manager.load('Groups', (n) => progress(`${n} of ${groups} groups`));
  const loaded = await manager.load('Users', (n) => progress(`${n} of ${users} users`));
  check('the same users came again', loaded === users);
  check('the tenant was not asked once', tenant.figures.calls === before);
}

const newcomers = 20;

async function joiners({ manager, progress, check }: Stage): Promise<void> {
  const statuses: number[] = [];
  for (let n = 1; n <= newcomers; n += 1) {
    const joiner = {
      schemas: [schemas.user],
      userName: `joiner${n}`,
      name: { givenName: 'Joiner', familyName: `Number ${n}` },
      emails: [{ value: `joiner${n}@example.com`, primary: true }],
      active: true,
    };
    statuses.push(await manager.create('Users', joiner));
    progress(`${n} of ${newcomers}`);
  }
  check(
    `${newcomers} users were created`,
    statuses.every((status) => status === 201),
  );
  const again = await manager.create('Users', { schemas: [schemas.user], userName: 'joiner1' });
  check('creating one of them again is a conflict', again === 409);
}

function joinersOf({ belief }: IdentityManager): Resource[] {
  return [...belief.Users.values()].filter(({ userName }) => /^joiner\d+$/.test(String(userName)));
}

async function movers({ manager, progress, check }: Stage): Promise<void> {
  const statuses: number[] = [];
  const read: boolean[] = [];
  for (const user of joinersOf(manager)) {
    await manager.refresh('Users', user.id);
    statuses.push(await manager.replace('Users', { ...user, displayName: `Moved ${user.id}` }));
    const { body } = await manager.call('GET', `/Users/${user.id}`);
    read.push((body as Resource)['displayName'] === `Moved ${user.id}`);
    progress(`${read.length} of ${newcomers}`);
  }
  check(
    `${newcomers} users were replaced`,
    statuses.every((status) => status === 200),
  );
  check('each read after a write saw that write', read.every(Boolean));
}

async function assignByPatch({ manager, progress, check }: Stage): Promise<void> {
  const [group] = manager.belief.Groups.keys();
  if (group === undefined) throw new Error('there is no group');
  const statuses: number[] = [];
  for (const { id } of joinersOf(manager).slice(0, 10)) {
    statuses.push(await manager.patchMembers(group, 'add', id));
    progress(`${statuses.length} assigned`);
  }
  for (const { id } of joinersOf(manager).slice(0, 5))
    statuses.push(await manager.patchMembers(group, 'remove', id));
  await manager.refresh('Groups', group);
  const left = memberIds(manager.belief.Groups.get(group));
  const expected = joinersOf(manager)
    .slice(0, 10)
    .map(({ id }, at) => left.has(id) === at >= 5);
  check(
    'ten users were assigned and five of them revoked',
    statuses.every(isDone) && expected.every(Boolean),
  );
}

async function assignByPut({ manager, progress, check }: Stage): Promise<void> {
  const [, group] = manager.belief.Groups.keys();
  if (group === undefined) throw new Error('there is no second group');
  const before = memberIds(manager.belief.Groups.get(group));
  const statuses: number[] = [];
  for (const { id } of joinersOf(manager).slice(0, 8)) {
    statuses.push(await manager.putMembers(group, (members) => [...members, { value: id }]));
    progress(`${statuses.length} assigned`);
  }
  const [first] = joinersOf(manager);
  statuses.push(
    await manager.putMembers(group, (members) => members.filter(({ value }) => value !== first?.id)),
  );
  const after = memberIds(manager.belief.Groups.get(group));
  check(
    'eight users were assigned and one of them revoked',
    statuses.every(isDone) && after.size === before.size + 7,
  );
  check(
    'no other member was lost',
    [...before].every((id) => after.has(id)),
  );
}

const isDone = (status: number): boolean => status === 200 || status === 204;

function memberIds(group: Resource | undefined): Set<string> {
  const { members = [] } = (group ?? {}) as { members?: { value: string }[] };
  return new Set(members.map(({ value }) => value));
}

async function leavers({ manager, progress, check }: Stage): Promise<void> {
  const statuses: number[] = [];
  for (const user of joinersOf(manager).slice(10, 20)) {
    statuses.push(await manager.replace('Users', { ...user, active: false }));
    progress(`${statuses.length} disabled`);
  }
  const gone = joinersOf(manager).slice(15, 20);
  for (const { id } of gone) statuses.push(await manager.delete('Users', id));
  check('ten users were disabled and five of them deleted', statuses.every(isDone));
  const answers = await Promise.all(gone.map(({ id }) => manager.call('GET', `/Users/${id}`)));
  check(
    'the deleted ones are not found any more',
    answers.every(({ status }) => status === 404),
  );
}

async function wrongPassword({ stranger, check }: Stage): Promise<void> {
  const { status, body } = await stranger.call('GET', '/Users');
  check('is refused with 401', status === 401);
  check('and says so in SCIM', (body as { status?: unknown }).status === '401');
}

async function forbiddenWrite({ manager, auditor, check }: Stage): Promise<void> {
  const [id = ''] = manager.belief.Users.keys();
  check('the auditor may read', (await auditor.call('GET', `/Users/${id}`)).status === 200);
  check('the auditor may not delete', (await auditor.call('DELETE', `/Users/${id}`)).status === 403);
}

const burstSize = 400;

async function burst({ manager, tenant, progress, check }: Stage): Promise<void> {
  const before = tenant.figures;
  let answered = 0;
  const read = async (id: string): Promise<number> => {
    const status = await manager.readPatiently(`/Users/${id}`);
    answered += 1;
    progress(`${answered} of ${burstSize}`);
    return status;
  };
  const ids = [...manager.belief.Users.keys()].slice(0, burstSize);
  const statuses = await Promise.all(ids.map(read));
  check(
    `all ${burstSize} reads were answered in the end`,
    statuses.every((status) => status === 200),
  );
  check('some had to come again, after the time they were told', (manager.refusals.get(429) ?? 0) > 0);
  const { slowed, byStatus } = tenant.figures;
  check('the tenant slowed down and refused none', slowed === before.slowed && byStatus['429'] === undefined);
}

async function outage({ manager, tenant, progress, check }: Stage): Promise<void> {
  const [known = ''] = manager.belief.Users.keys();
  const late = { schemas: [schemas.user], userName: 'latecomer', active: true };
  await manager.refresh('Users', known);
  await tenant.suspend();
  progress('the tenant is away');
  check('what is remembered is still answered', (await manager.refresh('Users', known)) === 200);
  check('a write is refused as not sent', (await manager.create('Users', late)) === 502);
  await sleep(2000);
  await tenant.resume();
  progress('the tenant is back');
  check('the write succeeds afterwards', (await manager.create('Users', late)) === 201);
}

async function eveningLoad({ manager, progress }: Stage): Promise<void> {
  await manager.load('Groups', (n) => progress(`${n} groups`));
  await manager.load('Users', (n) => progress(`${n} users`));
}
