/**
 * The backend that a pair of transformations was written for, told from the pair itself: what the read
 * transformation demands and the write transformation never gives, the backend must have of its own.
 */
import type { BackendOptions, SystemOptions } from '../../src/ips/system.ts';
import { schemas } from '../../src/scim/message.ts';
import { entityOf, type Document, type Mapping, type Pair } from './transformation-pairs.ts';

type Type = 'Users' | 'Groups';

/** Properties that pairs name and that have no usable meaning when absent. */
const properties = {
  'ldap.attribute.dn': 'dn',
  'ldap.attribute.user.id': 'uid',
  'ldap.attribute.user.object.class.required': 'cn',
  'ldap.attribute.user.mail': 'mail',
  'ldap.attribute.user.givenName': 'givenName',
  'ldap.attribute.user.surname': 'sn',
  'ldap.attribute.user.groups': 'memberOf',
  'ldap.attribute.user.mobile': 'mobile',
  'ldap.attribute.user.telephoneNumber': 'telephoneNumber',
  'ldap.attribute.group.id': 'cn',
  'ldap.attribute.group.object.class.required': 'ou',
  'ldap.attribute.group.member': 'member',
  'ldap.user.path': 'ou=people,dc=example,dc=com',
  'ldap.group.path': 'ou=groups,dc=example,dc=com',
};

const everything = { sourcePath: '$', targetPath: '$' };

/** By the key of its groups, how a service shows the members that it takes as a plain list. */
const views: Readonly<Record<string, readonly Mapping[]>> = {
  // OData: the assignments of a business role are expanded below `results`, also when there are none.
  ID: [
    everything,
    { constant: [], targetPath: '$.to_BusinessUserAssignment.results' },
    {
      sourcePath: '$.members[*].value',
      optional: true,
      targetPath: '$.to_BusinessUserAssignment.results[?(@.PersonID)]',
    },
    { type: 'remove', targetPath: '$.members' },
  ],
  groupID: [
    everything,
    { sourcePath: '$.members[*].value', optional: true, targetPath: '$.users[?(@.userId)]' },
  ],
  name: [
    everything,
    {
      sourcePath: '$.users',
      optional: true,
      preserveArrayWithSingleElement: true,
      targetPath: '$.members',
    },
  ],
};

export function systemOf({ name, read, write }: Pair, id: string): SystemOptions {
  return {
    id,
    name,
    properties: { ...properties },
    readTransformation: read,
    writeTransformation: write,
    backend: backendOf({ name, read, write }),
  };
}

/** The name of a group that is there already, where a pair does not offer to create one. */
export const presentGroup = 'PRESENT_GROUP';

export function createsGroups({ write }: Pair): boolean {
  return entityOf(write, 'Groups')?.skipOperations.includes('create') === false;
}

function backendOf(pair: Pair): BackendOptions {
  const keys = { Users: keyOf(pair.read, 'Users'), Groups: keyOf(pair.read, 'Groups') };
  if (keys.Users === 'USERNAME') return { kind: 'abap', users: 0, groups: 0 };
  if (keys.Users === 'id') return { kind: 'directory', users: 0, groups: 0, ...given(pair) };
  const shape = (type: Type) => ({ key: keys[type], generates: isGenerated(pair.write, type, keys[type]) });
  const shows = views[keys.Groups];
  const present = { schemas: [schemas.group], displayName: presentGroup, groupName: presentGroup };
  return {
    kind: 'native',
    update: 'merge',
    ...(!createsGroups(pair) && { documents: { Groups: [{ ...present, [keys.Groups]: presentGroup }] } }),
    shapes: { Users: shape('Users'), Groups: { ...shape('Groups'), ...(shows && { shows }) } },
  };
}

/** The attribute that the read transformation makes an id of. */
function keyOf(read: Document, type: Type): string {
  const source = entityOf(read, type)?.mappings.find(
    ({ targetVariable }) => targetVariable === 'entityIdSourceSystem',
  )?.sourcePath;
  const text = Object.entries(properties).reduce(
    (path, [property, value]) => path.replaceAll(`%${property}%`, value),
    source ?? '$.id',
  );
  return text.replace(/^\$\./, '');
}

/** Neither the body of a create nor the transformation's id variable has the key. */
function isGenerated(write: Document, type: Type, key: string): boolean {
  const mappings = entityOf(write, type)?.mappings ?? [];
  return !mappings.some(
    ({ sourcePath, targetPath, targetVariable }) =>
      sourcePath !== undefined && (targetPath === `$.${key}` || targetVariable === 'entityIdTargetSystem'),
  );
}

/** What a SCIM-like backend gives a new resource itself, and what an update cannot take away. */
function given({ read, write }: Pair) {
  const assigns: string[] = [];
  const keeps: string[] = [];
  for (const { scimEntityEndpoint: type, mappings } of Object.values(read))
    for (const { sourcePath = '', optional, condition, ignore } of mappings) {
      const path = nameOf(sourcePath);
      if (optional || condition !== undefined || ignore || path === undefined) continue;
      const writing = (entityOf(write, type)?.mappings ?? []).filter(
        ({ targetPath = '' }) => targetPath === '$' || targetPath.startsWith(sourcePath),
      );
      if (writing.length === 0) assigns.push(path);
      else if (writing.every(({ scope }) => scope === 'createEntity')) keeps.push(path);
    }
  return { assigns, keeps };
}

const ofTheProvider = new Set(['id', 'meta', 'schemas']);

/** `$['urn:…:User']['userUuid']` as a SCIM path; undefined for what every provider has or what is no plain path. */
function nameOf(sourcePath: string): string | undefined {
  const steps = /^\$((?:\.\w+|\['[^']+'\])+)$/.exec(sourcePath)?.[1]?.matchAll(/\.(\w+)|\['([^']+)'\]/g);
  const names = [...(steps ?? [])].map(([, plain, quoted]) => plain ?? quoted ?? '');
  const [first = ''] = names;
  if (names.length === 0 || ofTheProvider.has(first)) return undefined;
  return names.join(first.startsWith('urn:') ? ':' : '.');
}
