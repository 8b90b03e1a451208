/**
 * Media types as some callers write them. A body stays the bytes that it is: under its new name it is read as strictly as
 * any other, so what is no JSON is still refused.
 */
import type { Call, Headers } from '../scim/call.ts';
import { isScimMedia, scimMediaType } from '../scim/message.ts';
import type { Operation, SystemFacts } from '../scim/operation.ts';

/** Names that say nothing, or nearly the right thing. JSON Patch and Merge Patch have another meaning and are not among them. */
const vague = new Set(['', 'text/json', 'text/plain', 'application/octet-stream']);

const accepted = `${scimMediaType}, application/json;q=0.9`;

/** The call's own header fields when there is nothing to repair. */
export function repairMediaTypes(
  { headers }: Pick<Call, 'headers'>,
  { effect, kind }: Pick<Operation, 'effect' | 'kind'>,
  system: SystemFacts['kind'],
): Headers {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  const isBodied = hasBody && (effect === 'write' || kind === 'search');
  const repairsBody = isBodied && isVague(headers['content-type']);
  // To an IPS proxy system goes one media type, whatever a caller accepts.
  const repairsAccept = system === 'scim' && !acceptsScim(headers['accept']);
  if (!repairsBody && !repairsAccept) return headers;
  return {
    ...headers,
    ...(repairsBody && { 'content-type': scimMediaType }),
    ...(repairsAccept && { accept: accepted }),
  };
}

function isVague(contentType = ''): boolean {
  const [media = '', ...parameters] = contentType.split(';');
  if (!vague.has(media.trim().toLowerCase())) return false;
  // Another charset is another meaning of the same bytes (RFC 7644 §3.1).
  return isScimMedia([scimMediaType, ...parameters].join(';'));
}

function acceptsScim(accept: string | undefined): boolean {
  return accept === undefined || accept.toLowerCase().includes(scimMediaType);
}
