/** The generated company as an ABAP system keeps it: user master records and roles in their native names. */
import { NativeBackend } from './native-backend.ts';
import { companyOf, type PopulationOptions } from './population.ts';
import { isObject, textOf, type Resource } from './resource.ts';

const enterprise = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';

export function createAbapBackend(
  population: PopulationOptions,
  options: { readonly url: string; readonly givesTotal: boolean; readonly filters: boolean },
): NativeBackend {
  const { users, groups } = companyOf(population);
  const names = new Map(users.map(({ id, resource }) => [id, userNameOf(resource)]));
  const roles = groups.map(({ resource }) => roleOf(resource, names));
  const rolesOf = new Map<string, string[]>();
  for (const { ROLE_NAME, USERLIST } of roles)
    for (const { USERNAME } of USERLIST) rolesOf.getOrInsertComputed(USERNAME, () => []).push(ROLE_NAME);
  return new NativeBackend({
    ...options,
    shapes: {
      Users: { key: 'USERNAME', link: { list: 'ACTIVITYGROUPS', value: 'AGR_NAME' } },
      Groups: { key: 'ROLE_NAME', link: { list: 'USERLIST', value: 'USERNAME' } },
    },
    update: 'merge',
    users: users.map(({ resource }) => masterRecordOf(resource, rolesOf.get(userNameOf(resource)) ?? [])),
    groups: roles.map((role) => ({ ...role })),
  });
}

/** At most twelve characters, upper case. */
function userNameOf(user: Resource): string {
  const text = textOf(user, 'userName') ?? '';
  const digits = /\d*$/.exec(text)?.[0] ?? '';
  return (text.slice(0, 12 - digits.length).replace(/\d+$/, '') + digits).toUpperCase();
}

function masterRecordOf(user: Resource, roles: readonly string[]): Resource {
  const name = isObject(user['name']) ? user['name'] : {};
  const extension = isObject(user[enterprise]) ? user[enterprise] : {};
  const emails: unknown = user['emails'];
  const first: unknown = Array.isArray(emails) ? emails[0] : undefined;
  const email = isObject(first) ? textOf(first, 'value') : undefined;
  const validTo = textOf(extension, 'validTo')?.replaceAll('-', '');
  return {
    USERNAME: userNameOf(user),
    ADDRESS: {
      FIRSTNAME: name['givenName'],
      LASTNAME: name['familyName'],
      ...(email !== undefined && { E_MAIL: email }),
      DEPARTMENT: extension['department'],
      LANGUP_ISO: textOf(user, 'locale')?.slice(0, 2).toUpperCase(),
    },
    LOGONDATA: { USTYP: 'A', GLTGV: '20260101', GLTGB: validTo ?? '99991231', TZONE: 'CET' },
    ISLOCKED: {
      LOCAL_LOCK: user['active'] === false ? 'L' : 'U',
      GLOB_LOCK: 'U',
      WRNG_LOGON: 'U',
      NO_USER_PW: 'U',
    },
    DEFAULTS: { LANGU: 'E' },
    ACTIVITYGROUPS: roles.map((role) => ({ AGR_NAME: role })),
  };
}

function roleOf(group: Resource, names: ReadonlyMap<string, string>) {
  const members: unknown = group['members'];
  const values = (Array.isArray(members) ? members : []).flatMap((member) => {
    const value = isObject(member) ? textOf(member, 'value') : undefined;
    const name = value === undefined ? undefined : names.get(value);
    return name === undefined ? [] : [{ USERNAME: name }]; // roles hold no roles here
  });
  const text = textOf(group, 'displayName') ?? '';
  return { ROLE_NAME: `Z_${text.toUpperCase().replaceAll(/\W+/g, '_')}`.slice(0, 30), USERLIST: values };
}
