/**
 * The discovery documents of RFC 7644 §4 for a tenant that is told to have them. SAP documents none for proxy
 * systems (facts: IPS 3.6), so they say no more than what the proxy interface does.
 */
import { listResponse, scimAnswer, type Answer } from './answer.ts';
import { coreSchema, resourceTypes, typeName, uniqueAttribute, type Resource } from './resource.ts';

const schemaUrn = 'urn:ietf:params:scim:schemas:core:2.0';

export const discoveryNames = ['ServiceProviderConfig', 'ResourceTypes', 'Schemas'] as const;
export type DiscoveryName = (typeof discoveryNames)[number];

/** @param base the system's own address */
export function discover(name: DiscoveryName, base: string, hasEtags: boolean): Answer {
  if (name === 'ServiceProviderConfig') return scimAnswer(200, providerConfig(base, hasEtags));
  const documents = resourceTypes.map((type): Resource =>
    name === 'ResourceTypes'
      ? {
          schemas: [`${schemaUrn}:ResourceType`],
          id: typeName[type],
          name: typeName[type],
          endpoint: `/${type}`,
          schema: coreSchema[type],
          meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${typeName[type]}` },
        }
      : {
          schemas: [`${schemaUrn}:Schema`],
          id: coreSchema[type],
          name: typeName[type],
          attributes: [attribute(uniqueAttribute[type])],
          meta: { resourceType: 'Schema', location: `${base}/Schemas/${coreSchema[type]}` },
        },
  );
  return listResponse(1, documents.length, documents.length, documents);
}

function attribute(name: string): Resource {
  const traits = { mutability: 'readWrite', returned: 'default', uniqueness: 'server' };
  return { name, type: 'string', multiValued: false, required: true, caseExact: false, ...traits };
}

function providerConfig(base: string, hasEtags: boolean): Resource {
  const scheme = (type: string, name: string) => ({ type, name, description: name });
  return {
    schemas: [`${schemaUrn}:ServiceProviderConfig`],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: 100 },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: hasEtags },
    authenticationSchemes: [
      scheme('httpbasic', 'HTTP Basic'),
      scheme('oauthbearertoken', 'OAuth 2.0 client credentials'),
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
  };
}
