/**
 * What a native backend shows of a document, where that differs from what it keeps: OData services take a plain
 * list and show it below `results`. Told in the mappings of the transformation language, so there is one language.
 */
import { describe } from '../transformation/fault.ts';
import type { Json } from '../transformation/json.ts';
import { compile } from '../transformation/transformation.ts';
import type { Resource } from './resource.ts';

export type View = (document: Resource) => Resource;

const entity = 'document';

/** @param mappings what is shown, from what is kept; a document is shown as it is when absent */
export function viewOf(mappings: readonly Resource[] | undefined): View {
  if (!mappings) return (document) => document;
  const { transformation, faults } = compile({ [entity]: { mappings } }, 'shows');
  if (faults.length > 0) throw new Error(faults.map((fault) => describe(fault)).join('\n'));
  // A document comes from JSON text, so it is JSON; mappings at its root are refused unless they give an object.
  return (document) =>
    transformation.run({ entity, operation: 'read', input: document as Json }).output as Resource;
}
