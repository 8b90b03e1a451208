/**
 * A tenant that takes PATCH in RFC 7644's own spelling only. Which of the spellings that identity managers use a tenant
 * takes is not documented, so this is an assumption that can be switched on.
 */
import { Refusal } from './refusal.ts';
import { isObject, type Resource } from './resource.ts';

/** Of RFC 7643 §4: attributes that have several values. */
const several = new Set(['emails', 'phoneNumbers', 'addresses', 'roles', 'entitlements', 'members']);

export function checkSpellings(body: Resource): void {
  const operations = body['Operations'];
  if (!Array.isArray(operations) || !operations.every(isSpeltOut))
    throw new Refusal(400, 'The patch is not written as RFC 7644 has it.', { scimType: 'invalidSyntax' });
}

function isSpeltOut(operation: unknown): boolean {
  if (!isObject(operation)) return false;
  const { op, path, value } = operation;
  if (op === 'remove') return value === undefined;
  const isSeveral = typeof path === 'string' && several.has(path);
  return (op === 'add' || op === 'replace') && (!isSeveral || Array.isArray(value));
}
