/**
 * A company's users and groups from a seed: the same seed gives the same directory, byte for byte, on every
 * machine, because rehearsals and tests compare against it. All names are generated.
 */
import type { Directory } from './directory.ts';
import { coreSchema, type Resource, type ResourceType } from './resource.ts';

export interface PopulationOptions {
  readonly users: number;
  readonly groups: number;
  readonly seed: number;
}

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const epoch = Date.UTC(2026, 0, 5, 8);

interface Name {
  readonly written: string;
  /** Latin letters, for the log-on name and the e-mail address. */
  readonly latin: string;
}
const name = (written: string, latin = written): Name => ({ written, latin });

const given = [
  ...'Anna Ben Carla David Elena Felix Greta Hugo Ines Jonas Klara Leon Maria Nils Olga Paul'.split(' '),
  ...'Rosa Simon Tina Ulrich Vera Willem Xenia Yusuf Zita Aoife Priya Rahul Mei Kenji'.split(' '),
].map((text) => name(text));
const givenBeyondAscii = [
  name('Jörg', 'Joerg'),
  name('Søren', 'Soeren'),
  name('Zoë', 'Zoe'),
  name('François', 'Francois'),
  name('Łucja', 'Lucja'),
  name('Дмитрий', 'Dmitrij'),
  name('Ελένη', 'Eleni'),
  name('さくら', 'Sakura'),
  name('志明', 'Zhiming'),
  name('يوسف', 'Yousef'),
];
const family = [
  ...'Adler Berger Conti Dubois Engel Fischer Garcia Hansen Ivanov Jansen Keller Lindner Moreau'.split(' '),
  ...'Novak Olsen Peters Quinn Rossi Schmidt Tanaka Urban Vogel Wagner Yilmaz Zimmer Rao Silva'.split(' '),
].map((text) => name(text));
const familyBeyondAscii = [
  name('Müller', 'Mueller'),
  name('Weiß', 'Weiss'),
  name('Östberg', 'Oestberg'),
  name('Núñez', 'Nunez'),
  name("O'Brien", 'OBrien'),
  name('Dvořák', 'Dvorak'),
  name('Петров', 'Petrov'),
  name('Παππάς', 'Pappas'),
  name('田中', 'Tanaka'),
  name('الحسن', 'Alhassan'),
];
const departments = ['Sales', 'Finance', 'Production', 'Logistics', 'Research', 'Human Resources', 'IT'];
const roles = ['Clerk', 'Approver', 'Auditor', 'Planner', 'Viewer', 'Administrator', 'Buyer'];
const places = [
  ['de-DE', 'Europe/Berlin', 'DE'],
  ['en-US', 'America/New_York', 'US'],
  ['fr-FR', 'Europe/Paris', 'FR'],
  ['ja-JP', 'Asia/Tokyo', 'JP'],
  ['pl-PL', 'Europe/Warsaw', 'PL'],
] as const;

/** mulberry32: 32 bits of state are plenty here, and the arithmetic is the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Dice {
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = createRandom(seed);
  }

  chance(of: number): boolean {
    return this.#random() < of;
  }

  below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  pick<T>(values: readonly [T, ...T[]] | readonly T[]): T {
    const chosen = values[this.below(values.length)];
    if (chosen === undefined) throw new Error('nothing to pick from');
    return chosen;
  }

  uuid(): string {
    const hex = Array.from({ length: 4 }, () =>
      this.below(2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    ).join('');
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      `a${hex.slice(17, 20)}`,
      hex.slice(20),
    ].join('-');
  }
}

export interface Inhabitant {
  readonly id: string;
  readonly resource: Resource;
  readonly createdAt: string;
}

/** Users and groups one by one; a hundred thousand of them need not be in memory at once. */
function* generate({
  users,
  groups,
  seed,
}: PopulationOptions): Generator<Inhabitant & { type: ResourceType }> {
  const dice = new Dice(seed);
  const userIds: string[] = [];
  for (let at = 0; at < users; at++) {
    const id = dice.uuid();
    userIds.push(id);
    yield { type: 'Users', id, resource: createUser(dice, at), createdAt: instant(at) };
  }
  const groupIds: string[] = [];
  for (let at = 0; at < groups; at++) {
    const id = dice.uuid();
    const resource = createGroup(at, chooseMembers(dice, userIds, groupIds));
    groupIds.push(id);
    yield { type: 'Groups', id, resource, createdAt: instant(users + at) };
  }
}

export function populate(directory: Directory, options: PopulationOptions): void {
  directory.load(() => {
    for (const { type, id, resource, createdAt } of generate(options))
      directory.insert(type, id, resource, createdAt);
  });
}

/** The whole company, for backends with a form of their own. */
export function companyOf(options: PopulationOptions): { users: Inhabitant[]; groups: Inhabitant[] } {
  const { Users: users = [], Groups: groups = [] } = Object.groupBy(generate(options), ({ type }) => type);
  return { users, groups };
}

/** One second apart, so that a delta filter on lastModified has something to cut. */
function instant(at: number): string {
  return new Date(epoch + at * 1000).toISOString();
}

function createUser(dice: Dice, at: number): Resource {
  const first = dice.pick(dice.chance(0.15) ? givenBeyondAscii : given);
  const last = dice.pick(dice.chance(0.2) ? familyBeyondAscii : family);
  const [locale, timezone, country] = dice.pick(places);
  const number = String(at + 1).padStart(6, '0');
  const address = `${first.latin}.${last.latin}.${at + 1}@example.com`.toLowerCase();
  return {
    schemas: [coreSchema.Users, enterprise],
    userName: `${first.latin[0]}${last.latin}${at + 1}`.toLowerCase(),
    externalId: `E${number}`,
    name: {
      givenName: first.written,
      familyName: last.written,
      formatted: `${first.written} ${last.written}`,
    },
    displayName: `${first.written} ${last.written}`,
    ...(!dice.chance(0.04) && { emails: [{ value: address, type: 'work', primary: true }] }),
    ...(dice.chance(0.4) && {
      phoneNumbers: [{ value: `+49 30 5550${1000 + dice.below(9000)}`, type: 'work' }],
    }),
    addresses: [{ type: 'work', country }],
    preferredLanguage: locale,
    locale,
    timezone,
    userType: dice.chance(0.1) ? 'partner' : 'employee',
    active: !dice.chance(0.06),
    [enterprise]: {
      employeeNumber: number,
      department: dice.pick(departments),
      costCenter: `CC${100 + dice.below(40)}`,
      // Some accounts are past their time; the attribute is what backends with validity periods send.
      ...(dice.chance(0.03) && { validTo: '2025-12-31' }),
    },
  };
}

function createGroup(at: number, members: readonly Resource[]): Resource {
  const department = departments[at % departments.length] ?? 'All';
  const role = roles[Math.floor(at / departments.length) % roles.length] ?? 'Member';
  const round = Math.floor(at / (departments.length * roles.length));
  const displayName = `${department} ${role}${round === 0 ? '' : ` ${round + 1}`}`;
  return { schemas: [coreSchema.Groups], displayName, externalId: `G${at + 1}`, members };
}

/** Sizes fall off like in companies: a few large groups, many small ones, some empty, some holding groups. */
function chooseMembers(dice: Dice, userIds: readonly string[], groupIds: readonly string[]): Resource[] {
  if (dice.chance(0.04)) return [];
  const largest = Math.min(userIds.length, 2000);
  const size = Math.ceil(largest * 0.3 * (1 - Math.sqrt(dice.below(1000) / 1000)) ** 2);
  const values = new Set(Array.from({ length: userIds.length === 0 ? 0 : size }, () => dice.pick(userIds)));
  const nested = groupIds.length > 0 && dice.chance(0.1) ? [dice.pick(groupIds)] : [];
  return [...values, ...nested].map((value) => ({ value }));
}
