/** Words of the SCIM protocol that more than one folder needs (RFC 7644 §3.1, §8). */

export const scimMediaType = 'application/scim+json';
export const scimContentType = 'application/scim+json;charset=UTF-8';

export const schemas = {
  listResponse: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  patchOp: 'urn:ietf:params:scim:api:messages:2.0:PatchOp',
  bulkRequest: 'urn:ietf:params:scim:api:messages:2.0:BulkRequest',
  bulkResponse: 'urn:ietf:params:scim:api:messages:2.0:BulkResponse',
  error: 'urn:ietf:params:scim:api:messages:2.0:Error',
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  group: 'urn:ietf:params:scim:schemas:core:2.0:Group',
} as const;

/**
 * The two media types that callers of a proxy system send: SAP IDM, IAG, Omada and others differ.
 * SCIM is UTF-8 (RFC 7644 §3.1), so another charset is another media type to us.
 */
export function isScimMedia(contentType: string | undefined): boolean {
  const [media = '', ...parameters] = (contentType ?? '').toLowerCase().split(';');
  const charset = parameters.map((text) => text.trim()).find((text) => text.startsWith('charset='));
  return (
    [scimMediaType, 'application/json'].includes(media.trim()) &&
    (charset === undefined || /^charset="?utf-?8"?$/.test(charset))
  );
}
