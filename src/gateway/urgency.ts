/**
 * How urgent a write is, once its body is known: who is switched off must not wait behind a load, whether by DELETE or by
 * `active: false`, in whatever spelling the guard counts. It decides the order alone.
 */
import { changesOf } from '../audit/change.ts';
import { priorities, type Operation, type Priority } from '../scim/operation.ts';

/** No change of one user is longer; a group of thousands is not searched. */
const maxBytes = 64 * 1024;

export function urgencyOf(operation: Operation, body: Buffer | undefined): Priority {
  const { kind, priority } = operation;
  if (!body || body.length > maxBytes || (kind !== 'patch' && kind !== 'replace')) return priority;
  return changesOf(operation, body)[0]?.active === false ? priorities.delete : priority;
}
