/** A proxy system in front of ABAP-like users, whose ids are their names: in upper case, and not found in another. */
import { proxyId } from '../ips/started-tenant.ts';

const schema = { constant: 'urn:ietf:params:scim:schemas:core:2.0:User', targetPath: '$.schemas[0]' };

export const abapSystem = {
  id: proxyId,
  backend: { kind: 'abap', users: 10, groups: 0 },
  readTransformation: {
    user: {
      scimEntityEndpoint: 'Users',
      mappings: [
        { sourcePath: '$.USERNAME', targetPath: '$.id', targetVariable: 'entityIdSourceSystem' },
        schema,
        { sourcePath: '$.USERNAME', targetPath: '$.userName' },
      ],
    },
  },
  writeTransformation: {
    user: {
      scimEntityEndpoint: 'Users',
      mappings: [
        { sourcePath: '$.userName', targetPath: '$.USERNAME', targetVariable: 'entityIdTargetSystem' },
      ],
    },
  },
} as const;
