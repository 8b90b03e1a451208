/**
 * `attributes` and `excludedAttributes` by the rules of IPS: first level only, and a value that names
 * nothing means everything (facts: IPS 3.4).
 */
import { attributeOf, isObject, keyOf, type MutableResource, type Resource } from './resource.ts';

export type Selection = (resource: Resource) => Resource;

export function readSelection(query: URLSearchParams): Selection {
  const wanted = readNames(query.get('attributes'));
  const unwanted = readNames(query.get('excludedAttributes'));
  if (wanted) return (resource) => pick(resource, wanted);
  if (unwanted) return (resource) => omit(resource, unwanted);
  return (resource) => resource;
}

function readNames(text: string | null): readonly string[] | undefined {
  const names = (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  return names.length > 0 ? names : undefined;
}

/** Extensions that the resource declares; an attribute of any other schema cannot be selected. */
function declaredExtensions(resource: Resource): string[] {
  const urns = attributeOf(resource, 'schemas');
  const declared = Array.isArray(urns) ? urns : [];
  return Object.keys(resource).filter((key) => key.startsWith('urn:') && declared.includes(key));
}

/** `<schema>:<name>` when the name begins with a schema that the resource declares. */
function qualify(resource: Resource, name: string): { schema?: string; attribute: string } {
  const urns = attributeOf(resource, 'schemas');
  const schemas: readonly unknown[] = Array.isArray(urns) ? urns : [];
  const schema = schemas.find(
    (urn): urn is string => typeof urn === 'string' && name.toLowerCase().startsWith(`${urn.toLowerCase()}:`),
  );
  return schema === undefined ? { attribute: name } : { schema, attribute: name.slice(schema.length + 1) };
}

function pick(resource: Resource, names: readonly string[]): Resource {
  const picked: MutableResource = {};
  // A reply without id and schemas is no resource; the tenant's answer is not documented (facts: IPS 3.4).
  for (const name of ['schemas', 'id', ...names]) {
    const { schema, attribute } = qualify(resource, name);
    const isExtension = schema !== undefined && isObject(resource[schema]);
    const key = keyOf(resource, attribute);
    if (!isExtension && Object.hasOwn(resource, key)) picked[key] = resource[key];
    for (const extension of isExtension ? [schema] : schema === undefined ? declaredExtensions(resource) : [])
      pickBelow(picked, resource, extension, attribute);
  }
  return picked;
}

function pickBelow(picked: MutableResource, resource: Resource, extension: string, attribute: string): void {
  const values = resource[extension];
  const key = isObject(values) ? keyOf(values, attribute) : attribute;
  if (!isObject(values) || !Object.hasOwn(values, key)) return;
  const before = picked[extension];
  picked[extension] = { ...(isObject(before) && before), [key]: values[key] };
}

function omit(resource: Resource, names: readonly string[]): Resource {
  const left: MutableResource = { ...resource };
  for (const name of names) {
    const { schema, attribute } = qualify(resource, name);
    if (schema === undefined || !isObject(resource[schema])) delete left[keyOf(left, attribute)];
    for (const extension of schema === undefined ? declaredExtensions(resource) : [schema]) {
      const values = left[extension];
      if (!isObject(values)) continue;
      const { [keyOf(values, attribute)]: _, ...rest } = values;
      left[extension] = rest;
    }
  }
  return left;
}

/** `membersType` of SAP Ariba Applications: only members of that type are shown (facts: IPS 3.4). */
export function readMembersType(query: URLSearchParams): Selection {
  const wanted = { user: 'User', group: 'Group' }[query.get('membersType') ?? ''];
  if (wanted === undefined) return (resource) => resource;
  return (resource) => {
    const { members, ...rest } = resource;
    const shown = (Array.isArray(members) ? members : []).filter(
      (member) => isObject(member) && member['type'] === wanted,
    );
    return shown.length > 0 ? { ...rest, members: shown } : rest;
  };
}
