/**
 * The configuration's shape as JSON Schema: editors complete from it, the documentation is written from it and
 * environment variables find their keys in it. It is derived from the schema in code and never written by hand.
 */
import { z } from 'zod';

import { createConfigSchema } from './config-schema.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(createConfigSchema({ directory: '/', env: {} }), { io: 'input' });
}

/** The fixed keys of a map. */
export function propertiesOf({ properties = {} }: JsonSchema): [string, JsonSchema][] {
  return Object.entries(properties).filter((pair): pair is [string, JsonSchema] => isSchema(pair[1]));
}

/** What each entry of a map with free keys looks like. */
export function entryOf({ additionalProperties }: JsonSchema): JsonSchema | undefined {
  return isSchema(additionalProperties) ? additionalProperties : undefined;
}

/** The forms that a value may have; one, if there is no choice. */
export function alternativesOf(schema: JsonSchema): JsonSchema[] {
  return (schema.oneOf ?? schema.anyOf ?? [schema]).filter(isSchema);
}

export function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
