/** The version of a resource: it changes exactly when the representation does, so nothing has to be kept for it. */
import { hash } from 'node:crypto';

import { attributeOf, isObject, type Resource } from './resource.ts';

export function versionOf(resource: Resource): string {
  return `W/"${hash('sha256', JSON.stringify(resource), 'base64url').slice(0, 22)}"`;
}

/** The resource with its version in `meta` (RFC 7643 §3.1). */
export function versioned(resource: Resource): Resource {
  const meta = attributeOf(resource, 'meta');
  return { ...resource, meta: { ...(isObject(meta) && meta), version: versionOf(resource) } };
}

/** Whether a list of entity tags, as in If-Match and If-None-Match, names this version. */
export function names(tags: string, version: string): boolean {
  return tags.trim() === '*' || tags.split(',').some((tag) => tag.trim() === version);
}
