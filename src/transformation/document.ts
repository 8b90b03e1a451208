/**
 * The document of a transformation: entity types with their mappings (facts: transformations 1.1). Compiling
 * reports every fault of every entity; only a document without faults may be run.
 */
import type { Place } from './fault.ts';
import { compileGuard, type Guard } from './guard.ts';
import { isArray, isObject, sizeOf, type Json, type JsonObject, property, MISSING } from './json.ts';
import { compileMapping, type Mapping } from './mapping.ts';

export const operations = ['read', 'create', 'update', 'patch', 'delete'] as const;
export type Operation = (typeof operations)[number];

export interface Entity {
  readonly scimEntityEndpoint: string | undefined;
  readonly guard: Guard | undefined;
  readonly ignore: boolean;
  readonly skipOperations: readonly string[];
  readonly mappings: readonly Mapping[];
}

/** The name under which an entity stands when the document is nothing but that entity. */
export const anyEntity = '*';

const entityKeys: ReadonlySet<string> = new Set([
  'scimEntityEndpoint',
  'condition',
  'ignore',
  'skipOperations',
  'mappings',
]);

export function parseDocument(text: string, place: Place): Json | undefined {
  try {
    const document: Json = JSON.parse(text);
    if (sizeOf(document) !== undefined) return document;
    place.fault('the document is nested too deeply');
  } catch (error) {
    // V8 quotes the text, which may hold what a property brought in; the position is enough.
    const position = /position \d+(?: \(line \d+ column \d+\))?/.exec(String(error))?.[0];
    place.fault(`not JSON${position === undefined ? '' : ` at ${position}`}`);
  }
  return undefined;
}

export function compileDocument(document: Json, place: Place): ReadonlyMap<string, Entity> {
  const entities = new Map<string, Entity>();
  if (!isObject(document)) {
    place.fault('a transformation must be an object of entity types');
    return entities;
  }
  // Pages of the documentation print the part of one entity alone.
  const parts: JsonObject = isArray(document['mappings']) ? { [anyEntity]: document } : document;
  if (Object.keys(parts).length === 0) place.fault('the transformation has no entity type');
  for (const [name, definition] of Object.entries(parts)) {
    const entity = compileEntity(definition, place.inside({ entity: name }));
    if (entity) entities.set(name, entity);
  }
  return entities;
}

function compileEntity(definition: Json, place: Place): Entity | undefined {
  if (!isObject(definition)) {
    place.fault('an entity type must be an object');
    return undefined;
  }
  for (const key of Object.keys(definition)) if (!entityKeys.has(key)) place.fault('unknown key', { key });
  const condition = property(definition, 'condition');
  const endpoint = property(definition, 'scimEntityEndpoint');
  if (endpoint !== MISSING && typeof endpoint !== 'string')
    place.fault('must be a text', { key: 'scimEntityEndpoint' });
  return {
    scimEntityEndpoint: typeof endpoint === 'string' ? endpoint : undefined,
    guard:
      condition === MISSING
        ? undefined
        : compileGuard(condition, (reason) => place.fault(reason, { key: 'condition' })),
    ignore: ignoreOf(definition, place),
    skipOperations: skipOperationsOf(definition, place),
    mappings: mappingsOf(definition, place),
  };
}

function ignoreOf({ ignore }: JsonObject, place: Place): boolean {
  if (ignore === undefined || ignore === false || ignore === 'false') return false;
  if (ignore !== true && ignore !== 'true') place.fault('must be true or false', { key: 'ignore' });
  return true;
}

function skipOperationsOf({ skipOperations }: JsonObject, place: Place): string[] {
  if (skipOperations === undefined) return [];
  const known = ['create', 'update', 'delete'];
  const given = isArray(skipOperations) ? skipOperations.filter((item) => typeof item === 'string') : [];
  if (
    !isArray(skipOperations) ||
    given.length < skipOperations.length ||
    given.some((item) => !known.includes(item))
  ) {
    place.fault(`must be a list of ${known.join(', ')}`, { key: 'skipOperations' });
  }
  return given;
}

function mappingsOf({ mappings }: JsonObject, place: Place): Mapping[] {
  if (mappings === undefined || !isArray(mappings)) {
    place.fault('must be a list', { key: 'mappings' });
    return [];
  }
  return mappings.flatMap(
    (definition, at) => compileMapping(definition, at + 1, place.inside({ mapping: at + 1 })) ?? [],
  );
}
