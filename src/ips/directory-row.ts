/** How a resource stands in the directory's table: a column for all that is searched by, and a document of the rest. */
import { scimFailure } from './refusal.ts';
import {
  coreSchema,
  isObject,
  keyOf,
  textOf,
  uniqueAttribute,
  type MutableResource,
  type Resource,
  type ResourceType,
} from './resource.ts';

export const resourceTable = `
  CREATE TABLE IF NOT EXISTS resource (
    seq INTEGER PRIMARY KEY, type TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, external TEXT, email TEXT,
    created TEXT NOT NULL, modified TEXT NOT NULL, document TEXT NOT NULL,
    UNIQUE (type, id), UNIQUE (type, name));
`;

/** Of use to searches only, so a population is loaded without them. */
export const indexes = `
  CREATE INDEX IF NOT EXISTS resource_external ON resource (type, external) WHERE external IS NOT NULL;
  CREATE INDEX IF NOT EXISTS resource_email ON resource (type, email) WHERE email IS NOT NULL;
  CREATE INDEX IF NOT EXISTS resource_modified ON resource (type, modified);
  CREATE INDEX IF NOT EXISTS resource_order ON resource (type, seq);
`;
/** Drops them. */
export const noIndexes = [...indexes.matchAll(/resource_\w+/g)]
  .map(([name]) => `DROP INDEX IF EXISTS ${name};`)
  .join('');

export interface Row {
  readonly id: string;
  readonly created: string;
  readonly modified: string;
  readonly document: string;
}

/** What of a resource goes where; refuses what no SCIM provider would keep. */
export function dissect(type: ResourceType, resource: Resource) {
  const attribute = uniqueAttribute[type];
  const name = textOf(resource, attribute)?.toLowerCase();
  if (!name) throw scimFailure(400, `The attribute ${attribute} is required.`, 'invalidValue');
  const kept: MutableResource = { schemas: [coreSchema[type]], ...resource };
  const members = kept[keyOf(kept, 'members')];
  for (const derived of ['id', 'meta', 'groups', 'password', ...(type === 'Groups' ? ['members'] : [])])
    delete kept[keyOf(kept, derived)];
  return {
    name,
    external: textOf(resource, 'externalId') ?? null,
    email: firstEmail(resource)?.toLowerCase() ?? null,
    document: JSON.stringify(kept),
    members: Array.isArray(members) ? members : [],
  };
}

function firstEmail(resource: Resource): string | undefined {
  const emails = resource[keyOf(resource, 'emails')];
  const first: unknown = Array.isArray(emails) ? emails[0] : undefined;
  return isObject(first) ? textOf(first, 'value') : undefined;
}

const uniqueConstraint = 2067; // SQLITE_CONSTRAINT_UNIQUE

export function unlessTaken(type: ResourceType, write: () => unknown): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof Error) || Reflect.get(error, 'errcode') !== uniqueConstraint) throw error;
    throw scimFailure(409, `The value of ${uniqueAttribute[type]} is already taken.`, 'uniqueness');
  }
}
