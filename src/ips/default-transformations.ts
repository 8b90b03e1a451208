/**
 * The transformations that a proxy system in front of a SCIM provider has unless it is given others. They keep every
 * attribute; what is named besides is what callers may filter by, because only a mapping leads a filter to the
 * provider (facts: IPS 3.3).
 */
import { schemas } from '../scim/message.ts';
import type { SystemOptions } from './system.ts';

const everything = { sourcePath: '$', targetPath: '$' };

/** As they stand, and reachable by a filter. */
const same = (...paths: readonly string[]) =>
  paths.map((path) => ({ sourcePath: path, optional: true, targetPath: path }));

const identity = [
  { sourcePath: '$.id', targetPath: '$.id', targetVariable: 'entityIdSourceSystem' },
  {
    sourceVariable: 'entityBaseLocation',
    targetVariable: 'entityLocationSourceSystem',
    targetPath: '$.meta.location',
    functions: [{ type: 'concatString', suffix: '${entityIdSourceSystem}' }],
  },
  ...same('$.externalId', '$.meta.created', '$.meta.lastModified'),
];

const read = {
  user: {
    scimEntityEndpoint: 'Users',
    mappings: [
      everything,
      ...identity,
      { constant: 'User', targetPath: '$.meta.resourceType' },
      { sourcePath: '$.userName', targetPath: '$.userName', correlationAttribute: true },
      ...same('$.displayName', '$.name.givenName', '$.name.familyName', '$.emails[0].value'),
      ...same('$.userType', '$.active'),
      // The provider's own addresses lead nowhere for a caller of the proxy.
      { type: 'remove', targetPath: "$.groups[*]['$ref']" },
    ],
  },
  group: {
    scimEntityEndpoint: 'Groups',
    mappings: [
      everything,
      ...identity,
      { constant: 'Group', targetPath: '$.meta.resourceType' },
      ...same('$.displayName'),
      { type: 'remove', targetPath: "$.members[*]['$ref']" },
    ],
  },
};

/** Without these a PATCH would arrive empty at the provider (facts: transformations 9). */
const patches = ['$.schemas', '$.Operations'].map((path) => ({
  scope: 'patchEntity',
  sourcePath: path,
  preserveArrayWithSingleElement: true,
  targetPath: path,
}));

const writing = (schema: string) => [
  everything,
  { type: 'remove', targetPath: '$.meta' },
  { type: 'remove', targetPath: '$.id' },
  { sourceVariable: 'entityIdTargetSystem', targetPath: '$.id' },
  { condition: '$.schemas EMPTY true', constant: [schema], targetPath: '$.schemas' },
  ...patches,
];

const write = {
  user: {
    scimEntityEndpoint: 'Users',
    mappings: [...writing(schemas.user), { type: 'remove', targetPath: '$.groups' }],
  },
  group: { scimEntityEndpoint: 'Groups', mappings: writing(schemas.group) },
};

/** Other systems than proxies to SCIM providers have no default: nobody else knows their attributes. */
export function withDefaultTransformations(system: SystemOptions): SystemOptions {
  const { role = 'proxy', backend, readTransformation, writeTransformation } = system;
  const isScim = backend === undefined || backend.kind === 'directory' || backend.kind === 'scim';
  if (role !== 'proxy' || !isScim || readTransformation || writeTransformation) return system;
  return { ...system, readTransformation: read, writeTransformation: write };
}
