/**
 * A SCIM resource as plain JSON, and how its attributes are found: names are case-insensitive
 * (RFC 7643 §2.1), and an extension's attributes live below its URN.
 */
import { schemas } from '../scim/message.ts';

export type Resource = Readonly<Record<string, unknown>>;
export type MutableResource = Record<string, unknown>;
export type ResourceType = 'Users' | 'Groups';

export const resourceTypes: readonly ResourceType[] = ['Users', 'Groups'];
export const coreSchema = { Users: schemas.user, Groups: schemas.group } as const;
export const typeName = { Users: 'User', Groups: 'Group' } as const;
/** The attribute that must be unique and by which IPS finds an entity again (facts: IPS 8.1). */
export const uniqueAttribute = { Users: 'userName', Groups: 'displayName' } as const;

/** JSON text that is known to be an object; anything else is a fault of whoever wrote it. */
export function parseResource(text: string): Resource {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) throw new TypeError('not a JSON object');
  return value;
}

export function isObject(value: unknown): value is Resource {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The key under which `object` has the attribute, whatever its case; the given name when it has none. */
export function keyOf(object: Resource, name: string): string {
  if (Object.hasOwn(object, name)) return name;
  const wanted = name.toLowerCase();
  return Object.keys(object).find((key) => key.toLowerCase() === wanted) ?? name;
}

export function attributeOf(object: Resource, name: string): unknown {
  const key = keyOf(object, name);
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

export function textOf(object: Resource, name: string): string | undefined {
  const value = attributeOf(object, name);
  return typeof value === 'string' ? value : undefined;
}

export function idOf(resource: unknown): string {
  const id = isObject(resource) ? resource['id'] : undefined;
  return typeof id === 'string' || typeof id === 'number' ? String(id) : '';
}

/** An attribute's place: the extension that holds it, if any, and the names below it. */
export interface AttributePath {
  readonly urn?: string;
  readonly names: readonly string[];
}

/** `urn:…:User:manager.value` → the URN and `manager`, `value`; a core schema's URN is dropped. */
export function parseAttributePath(text: string): AttributePath {
  const colon = /^urn:/i.test(text) ? text.lastIndexOf(':') : -1;
  if (colon < 0) return { names: text.split('.') };
  const dotsOfVersion = /^urn:.*:\d+\.\d+:[\w-]+$/i.test(text);
  if (dotsOfVersion) return { names: [text] };
  const urn = text.slice(0, colon);
  const names = text.slice(colon + 1).split('.');
  const isCore = Object.values(coreSchema).some((schema) => schema.toLowerCase() === urn.toLowerCase());
  return isCore ? { names } : { urn, names };
}
